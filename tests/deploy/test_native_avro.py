"""Compiled Avro: there are functions for what every codec asks for, and they say what those made at run time say."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from librt.strings import BytesWriter

from deploy.native import avro, avro_primitives, build
from streams.contracts import avro_native, schemas
from streams.contracts.avro_writer import compile_writer, long_bytes
from streams.contracts.shapes import Shape, fingerprint
from tests.bench.builds import NATIVE, PLAIN, Build


def answer(made: Build) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.deploy.native_avro"]
    environment = {**os.environ, **made.environment}
    ended = subprocess.run(command, cwd=build.ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def test_both_builds_say_the_same_of_examples_misfits_and_damaged_bytes() -> None:
    """Every record, with a field left out, put in or of another type at any depth, and each of its bytes changed."""
    if not build.is_current():
        pytest.skip("there is no native build of these sources (make native)")
    native, plain = answer(NATIVE), answer(PLAIN)
    assert native["compiled"].pop("another schema") is False
    assert set(native["compiled"]) == {*schemas.records(), "event"}
    assert all(native["compiled"].values())
    assert not any(plain["compiled"].values())
    for record in schemas.records():
        assert len(plain["said"][record]) > 100
        assert any("EncodeError" in line for line in plain["said"][record])
        assert any("MalformedError" in line for line in plain["said"][record])
        assert native["said"][record] == plain["said"][record]


def test_another_schema_or_shape_has_another_fingerprint() -> None:
    """A default, a symbol, a class or one of its arguments: what was compiled for one is not taken for the other."""
    field = {"name": "n", "type": "int", "default": 7}
    schema = {"type": "record", "name": "Row", "fields": [field]}
    changed = {**schema, "fields": [{**field, "default": 8}]}
    made = {"Row": Shape(dict, {"n": "n"})}
    others = [
        fingerprint(changed),
        fingerprint(schema, made),
        fingerprint(schema, {"Row": Shape(list, {"n": "n"})}),
        fingerprint(schema, {"Row": Shape(dict, {"n": "m"})}),
        fingerprint(schema, {"Row": Shape(dict, {"n": "n"}, frozenset("n"))}),
    ]
    assert len({fingerprint(schema), *others}) == 6
    assert fingerprint(schema) == fingerprint(json.loads(json.dumps(schema)))


def test_what_is_listed_is_taken_for_its_schema_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A compiled function serves the schema that it was made of; another schema gets one that is made at run time."""
    schema = {"type": "record", "name": "Row", "fields": [{"name": "n", "type": "int"}]}

    def listed(begin: bytes, _value: Any) -> bytes:
        return begin + b"compiled"

    monkeypatch.setitem(avro_native.WRITERS, fingerprint(schema), listed)
    assert compile_writer(schema)(b"", {"n": 1}) == b"compiled"
    other = {**schema, "fields": [{"name": "n", "type": "long"}]}
    assert compile_writer(other)(b"", {"n": 1}) == b"\2"


def test_each_schema_gets_a_module(tmp_path: Path) -> None:
    """The lists of the copy name a module of each record, and the copy has what those import."""
    package = tmp_path / avro.CONTRACTS / "avro_native"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("WRITERS = {}\nREADERS = {}\n", encoding="utf-8")
    avro.fill(tmp_path)
    lists = (package / "__init__.py").read_text(encoding="utf-8")
    for record in schemas.records():
        assert f"{fingerprint(schemas.bare(schemas.load(record)))!r}: " in lists
    names = {path.stem for path in package.glob("*.py")} - {"__init__"}
    assert len(names) == len(schemas.records()) + 2
    assert all(f"{name}.read}}" in lists for name in names)
    assert (tmp_path / avro.CONTRACTS / "avro_primitives.py").is_file()


@given(st.integers(-(2**63), 2**63 - 1))
def test_numbers_are_written_and_read_as_in_plain_python(number: int) -> None:
    """Before they are compiled, too."""
    out = BytesWriter()
    avro_primitives.write_number(out, number)
    assert out.getvalue() == long_bytes(number)
    assert avro_primitives.read_long(b"-" + out.getvalue(), 1) == (number, 1 + len(out.getvalue()))


def test_only_the_native_wheel_requires_the_compilers_buffer() -> None:
    """And it requires all that the plain one does."""
    text = (build.ROOT / "pyproject.toml").read_text(encoding="utf-8")
    plain = tomllib.loads(text)["project"]["dependencies"]
    native = tomllib.loads(build.packaging(text))["project"]["dependencies"]
    assert not any("librt" in one for one in plain)
    assert [one for one in native if "librt" in one] == native[:1]
    assert native[1:] == plain
