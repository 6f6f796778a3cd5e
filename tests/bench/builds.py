"""The builds of the product that are measured: plain Python, as pip installs it, and the native one of the image."""

import os
from collections.abc import Callable, Mapping
from typing import NamedTuple

from deploy.native import build


class Build(NamedTuple):
    """One way to run the same sources."""

    name: str
    """Goes after a comma into the names of its figures; empty for plain Python."""
    environment: Mapping[str, str]
    """What a process needs to import it."""

    def called(self, what: str) -> str:
        """Return the name of a figure of this build."""
        return f"{what}, {self.name}" if self.name else what


PLAIN = Build("", {})
# Without the safe path the folder of the sources would come first.
NATIVE = Build(
    "native build", {"PYTHONSAFEPATH": "1", "PYTHONPATH": os.pathsep.join(map(str, (build.TARGET, build.ROOT)))}
)


def builds(say: Callable[[str], None]) -> list[Build]:
    """Return what can be measured; a native build that is missing or of other sources is told of and left out."""
    if build.is_current():
        return [PLAIN, NATIVE]
    say("The native build is not there or was made of other sources (make native): plain Python only.")
    return [PLAIN]
