"""The jars come once, whole and as pinned; without a network they come from the cache."""

import hashlib
import os
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from streams.local.errors import LocalError, NotReachableError, WrongRequestError
from streams.local.jars import Jar, Progress, fetch, pinned
from streams.local.ports import free_ports

CONTENTS = {f"org/example/{name}/1/{name}-1.jar": name.encode() * 1000 for name in ("a", "b", "c")}
JARS = [Jar(path, hashlib.sha256(content).hexdigest(), len(content)) for path, content in CONTENTS.items()]


class Quiet(SimpleHTTPRequestHandler):
    """A Maven repository from a folder."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class BreaksOff(BaseHTTPRequestHandler):
    """Promises 1000 bytes and sends 10."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"a" * 10)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Give the folder that the repository serves, with all jars in it."""
    for path, content in CONTENTS.items():
        file = tmp_path / "store" / path
        file.parent.mkdir(parents=True)
        file.write_bytes(content)
    return tmp_path / "store"


@pytest.fixture
def repository(store: Path) -> Iterator[str]:
    """Give the address of a running repository."""
    yield from serve(partial(Quiet, directory=str(store)))


def serve(handler: type[BaseHTTPRequestHandler] | partial[Quiet]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def no_network() -> str:
    raise AssertionError("the network was touched")


def test_what_is_missing_is_fetched_and_told(repository: str, tmp_path: Path) -> None:
    """All jars arrive; the report counts files and bytes up to the end."""
    told: list[Progress] = []
    folder = fetch(JARS, tmp_path / "cache", lambda: repository + "/", told.append)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == {
        path.rpartition("/")[2]: content for path, content in CONTENTS.items()
    }
    assert [one.files for one in told] == [1, 2, 3]
    assert told[-1] == Progress(3, 3, 3000, 3000)


def test_what_is_cached_needs_no_network(repository: str, tmp_path: Path) -> None:
    """The second time the repository is not even asked for; when a jar is gone, it is."""
    folder = fetch(JARS, tmp_path / "cache", lambda: repository)
    fetch(JARS, folder, no_network)
    (folder / JARS[0].name).unlink()
    with pytest.raises(AssertionError, match="the network was touched"):
        fetch(JARS, folder, no_network)


def test_a_damaged_jar_in_the_cache_is_fetched_again(repository: str, tmp_path: Path) -> None:
    """Same size, one other byte: the checksum tells."""
    folder = fetch(JARS, tmp_path / "cache", lambda: repository)
    (folder / JARS[0].name).write_bytes(b"A" + b"a" * 999)
    fetch(JARS, folder, lambda: repository)
    assert (folder / JARS[0].name).read_bytes() == b"a" * 1000


@pytest.mark.parametrize(
    "content", [b"x" * 1000, b"a" * 1001, b"a" * 999, b""], ids=["other", "long", "short", "empty"]
)
def test_a_jar_with_another_checksum_is_refused(repository: str, store: Path, tmp_path: Path, content: bytes) -> None:
    """The sentence names the jar, what was expected and what came; nothing of it is kept."""
    (store / JARS[0].path).write_bytes(content)
    with pytest.raises(LocalError) as refused:
        fetch(JARS, tmp_path / "cache", lambda: repository)
    assert not isinstance(refused.value, NotReachableError)
    for part in (JARS[0].name, JARS[0].sha256, hashlib.sha256(content).hexdigest(), "1000 bytes"):
        assert part in str(refused.value)
    assert not [file.name for file in (tmp_path / "cache").iterdir() if file.name.startswith(JARS[0].name)]


def test_a_jar_that_the_repository_lacks_is_named(repository: str, store: Path, tmp_path: Path) -> None:
    """The sentence says which jar, and that the repository answers 404."""
    (store / JARS[1].path).unlink()
    with pytest.raises(NotReachableError, match=r"b-1\.jar .*answers 404"):
        fetch(JARS, tmp_path / "cache", lambda: repository)


def test_a_transfer_that_breaks_off_is_no_jar(tmp_path: Path) -> None:
    """The sentence says how far it came; the half is not kept."""
    for address in serve(BreaksOff):
        with pytest.raises(NotReachableError, match="broke off after 10 of 1000 bytes"):
            fetch(JARS[:1], tmp_path / "cache", lambda address=address: address)  # type: ignore[misc]  # mypy infers no default
    assert not list((tmp_path / "cache").iterdir())


def test_offline_without_a_cache_is_told_in_one_sentence(tmp_path: Path) -> None:
    """The sentence names the jar and both ways to name another repository."""
    nobody = f"http://127.0.0.1:{free_ports(1)[0]}"
    with pytest.raises(NotReachableError, match=r"a-1\.jar is not in the cache.*refused.*--mirror or WIDGET_STREAMS"):
        fetch(JARS[:1], tmp_path / "cache", lambda: nobody)


def test_a_mirror_may_be_a_folder_and_must_be_an_address(store: Path, tmp_path: Path) -> None:
    """A file: address serves without a network; what is no address is wrong use."""
    fetch(JARS, tmp_path / "cache", store.as_uri)
    with pytest.raises(WrongRequestError, match="takes a URL"):
        fetch(JARS, tmp_path / "other", lambda: "mirror.example")


def test_jars_of_another_version_do_not_stay_on_the_class_path(store: Path, tmp_path: Path) -> None:
    """Other jars and old leftovers of a killed download go, a running download of another process stays."""
    folder = tmp_path / "cache"
    folder.mkdir()
    for name in ("old-0.jar", "killed.part", "running.part"):
        (folder / name).touch()
    os.utime(folder / "killed.part", (0, 0))
    fetch(JARS, folder, store.as_uri)
    assert sorted(file.name for file in folder.iterdir()) == ["a-1.jar", "b-1.jar", "c-1.jar", "running.part"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """The cache's place is taken by a file."""
    (tmp_path / "cache").touch()
    with pytest.raises(LocalError, match=r"cannot be kept in .*cache: "):
        fetch(JARS, tmp_path / "cache", no_network)


def test_the_pinned_list_is_sound() -> None:
    """41 jars, each name once, whole checksums, paths below a repository and no address."""
    jars = pinned()
    assert len(jars) == len({jar.name for jar in jars}) == 41
    assert all(len(bytes.fromhex(jar.sha256)) == 32 and jar.size_bytes > 0 for jar in jars)
    assert all(jar.path.endswith(".jar") and "://" not in jar.path and not jar.path.startswith("/") for jar in jars)
