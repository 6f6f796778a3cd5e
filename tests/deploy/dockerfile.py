"""A Dockerfile as its stages of instructions, and the build stage carried out in a folder where no engine runs."""

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple


class Instruction(NamedTuple):
    """One instruction: its word in upper case and the rest, continuation lines joined."""

    word: str
    rest: str


@dataclass
class Stage:
    """What follows one FROM."""

    image: str
    name: str | None
    instructions: list[Instruction] = field(default_factory=list)

    def every(self, word: str) -> list[str]:
        """Return the rests of all instructions of this word."""
        return [one.rest for one in self.instructions if one.word == word]

    def command(self, word: str) -> list[str]:
        """Return the last ENTRYPOINT, CMD or HEALTHCHECK's command, which must be in exec form."""
        text = self.every(word)[-1]
        found: list[str] = json.loads(text[text.index("[") :])
        return found


def read(path: Path) -> list[Stage]:
    """Read the stages of a Dockerfile."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
    text = re.sub(r"\\\n", " ", "\n".join(lines))
    stages: list[Stage] = []
    for line in filter(str.strip, text.splitlines()):
        word, _, rest = line.strip().partition(" ")
        if word.upper() == "FROM":
            image, _, name = rest.partition(" AS ")
            stages.append(Stage(image.strip(), name.strip() or None))
        else:
            stages[-1].instructions.append(Instruction(word.upper(), " ".join(rest.split())))
    return stages


class Rehearsal(NamedTuple):
    """Carries a stage out below a folder: `/opt` and `/src` of the image are folders there."""

    root: Path
    context: Path
    environment: Mapping[str, str]
    user: int | None
    """Who runs the commands; None: whoever runs the test."""

    def run(self, stage: Stage) -> None:
        """Carry out WORKDIR, COPY and RUN in their order; other instructions change nothing that is built."""
        where = self.root
        for word, rest in stage.instructions:
            if word == "WORKDIR":
                where = self.inside(rest)
                where.mkdir(parents=True, exist_ok=True)
                self._give(where)
            elif word == "COPY":
                *sources, target = shlex.split(rest)
                for source in sources:
                    self._copy(
                        self.context / source, where / target, whole=len(sources) == 1 and not target.endswith("/")
                    )
            elif word == "RUN":
                self.shell(self.translated(rest), where)

    def inside(self, path: str) -> Path:
        """Return where a path of the image is here."""
        return self.root / path.lstrip("/")

    def translated(self, text: str) -> str:
        """Return a command with the image's folders replaced by ours."""
        return re.sub(r"(?<![\w/.])/(opt|src)\b", lambda found: str(self.root / found[1]), text)

    def shell(self, command: str, where: Path) -> subprocess.CompletedProcess[str]:
        """Run a command as the image's shell would; it must succeed."""
        ended = subprocess.run(
            ["/bin/sh", "-ec", command],
            cwd=where,
            env=dict(self.environment),
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else [],
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert ended.returncode == 0, f"{command}\n{ended.stdout}{ended.stderr}"
        return ended

    def _copy(self, source: Path, target: Path, *, whole: bool) -> None:
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc", "node_modules")
        if source.is_dir():
            shutil.copytree(source, target, ignore=ignored, dirs_exist_ok=True)
        else:
            shutil.copy(source, target if whole else target / source.name)
        self._give(target)

    def _give(self, path: Path) -> None:
        if self.user is not None:
            for one in (path, *path.rglob("*")):
                shutil.chown(one, self.user, self.user)
