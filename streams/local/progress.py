"""How far the download of Kafka is, for people: one line that is rewritten, or a few lines where none can be."""

from typing import TextIO

from streams.local.jars import KAFKA_VERSION, Progress, Report

_MEBIBYTE = 1024 * 1024
_LINES = 4


def told_on(stream: TextIO) -> Report:
    """Give a report that writes to the stream: on a terminal for every jar, elsewhere four lines in all."""
    return _Told(stream)


class _Told:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._told = 0

    def __call__(self, progress: Progress) -> None:
        is_last = progress.files == progress.files_missing
        text = (
            f"Fetching Apache Kafka {KAFKA_VERSION}: {progress.files} of {progress.files_missing} files, "
            f"{progress.size_bytes // _MEBIBYTE} of {progress.missing_bytes // _MEBIBYTE} MiB"
        )
        if self._stream.isatty():
            self._stream.write(f"\r{text}" + ("\n" if is_last else ""))
        elif progress.files * _LINES // progress.files_missing > self._told:
            self._told = progress.files * _LINES // progress.files_missing
            self._stream.write(f"{text}\n")
        self._stream.flush()
