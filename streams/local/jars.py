"""The jars of Apache Kafka: which ones, fetched once into the user's cache, each held to its pinned checksum."""

import hashlib
import os
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from http.client import HTTPException
from pathlib import Path
from typing import Final, NamedTuple

from streams.local.errors import LocalError, NotReachableError, WrongRequestError

KAFKA_VERSION: Final = "4.3.1"
_PINNED: Final = Path(__file__).with_name("kafka-jars.tsv")
_PARALLEL: Final = 8
_ATTEMPTS: Final = 3
_PAUSE_SECONDS: Final = 0.25
_TIMEOUT_SECONDS: Final = 30.0
_STALE_SECONDS: Final = 3600.0


class Jar(NamedTuple):
    """One file of Kafka: its path below the root of a Maven repository, and what it must be."""

    path: str
    sha256: str
    size_bytes: int

    @property
    def name(self) -> str:
        """The file's name without its folders."""
        return self.path.rpartition("/")[2]


class Progress(NamedTuple):
    """How far a download is: files and bytes that have arrived, of those that were missing."""

    files: int
    files_missing: int
    size_bytes: int
    missing_bytes: int


Report = Callable[[Progress], None]
"""Called for each jar that has arrived, from the thread that called `fetch`."""


def pinned(listing: Path = _PINNED) -> list[Jar]:
    """Read the pinned jars, in the order of the list."""
    rows = (line.split("\t") for line in listing.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    return [Jar(path, sha256, int(size_bytes)) for path, sha256, size_bytes in rows]


def fetch(jars: Iterable[Jar], folder: Path, repository: Callable[[], str], report: Report = lambda _: None) -> Path:
    """Bring the folder to hold exactly these jars, and return it. The network is touched only for what is missing.

    Args:
        jars: What is needed.
        folder: Where the jars lie; made when missing. Other jars in it are removed, they would be on the class path.
        repository: Gives the root address of a Maven repository; asked only when a jar is missing.
        report: Told after each jar that arrived.

    Raises:
        NotReachableError: The repository does not answer, or does not have a jar.
        WrongRequestError: Its address is none.
        LocalError: A jar is not what the list says, or the folder cannot be written.
    """
    wanted = list(jars)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        missing = [jar for jar in wanted if not _is_intact(folder / jar.name, jar)]
        if missing:
            _download(missing, folder, repository().rstrip("/"), report)
        _remove_others(folder, {jar.name for jar in wanted})
    except OSError as error:
        raise LocalError(f"The jars of Kafka cannot be kept in {folder}: {error.strerror or error}.") from error
    return folder


def _download(missing: list[Jar], folder: Path, root: str, report: Report) -> None:
    arrived = arrived_bytes = 0
    total_bytes = sum(jar.size_bytes for jar in missing)
    with ThreadPoolExecutor(_PARALLEL, thread_name_prefix="kafka-jars") as pool:
        running = {pool.submit(_download_one, jar, folder, root): jar for jar in missing}
        try:
            for done in as_completed(running):
                done.result()
                arrived, arrived_bytes = arrived + 1, arrived_bytes + running[done].size_bytes
                report(Progress(arrived, len(missing), arrived_bytes, total_bytes))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _download_one(jar: Jar, folder: Path, root: str) -> None:
    content = _read(jar, f"{root}/{urllib.parse.quote(jar.path)}")
    actual = hashlib.sha256(content).hexdigest()
    if len(content) != jar.size_bytes or actual != jar.sha256:
        raise LocalError(
            f"{jar.name} from {root} is not the pinned file and was not kept: expected SHA-256 {jar.sha256} "
            f"({jar.size_bytes} bytes), got {actual} ({len(content)} bytes). "
            "Try again; if it stays so, do not trust this repository and name another with --mirror."
        )
    handle, unfinished = tempfile.mkstemp(dir=folder, prefix=jar.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(unfinished, folder / jar.name)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise


def _read(jar: Jar, address: str) -> bytes:
    """Read the jar, again when the transfer breaks off or the repository has trouble of its own."""
    trouble: Exception | None = None
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_PAUSE_SECONDS * 2**attempt)
        try:
            return _read_once(jar, address)
        except urllib.error.HTTPError as error:
            trouble = error
            if error.code < 500:
                break
        except (OSError, HTTPException) as error:
            trouble = error
        except ValueError as error:
            raise WrongRequestError(f"{address} is no address to fetch from: --mirror takes a URL.") from error
    raise NotReachableError(
        f"{jar.name} is not in the cache and cannot be fetched from {address}: {_reason(trouble)}. Check the network, "
        "or name a repository that this machine can reach with --mirror or WIDGET_STREAMS_MAVEN_MIRROR."
    ) from trouble


def _read_once(jar: Jar, address: str) -> bytes:
    """Read at most one byte more than the jar may have: enough to know that it is too long."""
    # The address is the user's own setting; a file: address serves a machine without any network.
    with urllib.request.urlopen(address, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
        content: bytes = answer.read(jar.size_bytes + 1)
        promised = int(answer.headers.get("Content-Length") or 0)
    if len(content) < min(promised, jar.size_bytes):
        raise OSError(f"the transfer broke off after {len(content)} of {promised} bytes")
    return content


def _reason(trouble: Exception | None) -> str:
    if isinstance(trouble, urllib.error.HTTPError):
        return f"the repository answers {trouble.code} {trouble.reason}"
    if isinstance(trouble, urllib.error.URLError):
        return str(trouble.reason)
    return str(trouble) or type(trouble).__name__


def _is_intact(file: Path, jar: Jar) -> bool:
    if not file.is_file() or file.stat().st_size != jar.size_bytes:
        return False
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest() == jar.sha256


def _remove_others(folder: Path, names: set[str]) -> None:
    """Remove jars of other versions, and what a killed run left of a download."""
    for file in folder.glob("*.jar"):
        if file.name not in names:
            file.unlink(missing_ok=True)
    for file in folder.glob("*.part"):
        if time.time() - file.stat().st_mtime > _STALE_SECONDS:
            file.unlink(missing_ok=True)
