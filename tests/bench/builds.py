"""The builds of the product that are measured: plain Python, as pip installs it, and the native one of the image."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

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

    def measured(self, module: str, *arguments: str) -> dict[str, Any]:
        """Return what a module measures with this build in a process of its own and prints as JSON."""
        command = [sys.executable, "-m", module, *arguments]
        ended = subprocess.run(
            command, env={**os.environ, **self.environment}, stdout=subprocess.PIPE, text=True, check=True
        )
        told: dict[str, Any] = json.loads(ended.stdout)
        if told["is_native"] != (self is NATIVE):
            raise RuntimeError("another build was imported than the one to be measured")
        return told


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
