"""Bounds: rates, bytes under way, decompression, and the closed lists of what is answered."""

import gzip
import re
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contracts.numbers import DEVELOPMENT_KEY, TokenKey, mask_number
from streams.contracts.privacy import scrub
from streams.contracts.values import _is_login, _is_term, _is_word, _short_origin
from streams.gateway.answers import EVENT_OUTCOMES, OUTCOMES, Code, EventCode
from streams.gateway.budget import Budget
from streams.gateway.decompression import gunzip
from streams.gateway.limits import MOST_SESSIONS, Limits

KEY = TokenKey(DEVELOPMENT_KEY)
PAGE = Path(__file__).resolve().parents[2] / "docs" / "gateway.md"


def test_a_site_may_send_its_rate_and_no_more() -> None:
    """Twice the rate at once, then the rate; the wait that is told is the wait that is needed."""
    limits = Limits(50, 500)
    taken = sum(10 for _ in range(1_000) if not limits.admit_site("k", 10, 0.0, 100.0))
    assert taken == 200
    wait = limits.admit_site("k", 10, 0.0, 100.0)
    assert wait == pytest.approx(0.1)
    assert limits.admit_site("k", 10, wait * 0.9, 100.0)
    assert not limits.admit_site("k", 10, wait * 1.001, 100.0)
    assert not limits.admit_site("other", 10, 0.0, 100.0)
    assert not limits.admit_site("slow", 500, 0.0, 1.0), "a whole request fits after silence, however low the rate"


def test_forgotten_sites_begin_anew() -> None:
    """A key that was taken out of the file leaves nothing behind."""
    limits = Limits(50, 500)
    assert not limits.admit_site("k", 20, 0.0, 10.0)
    assert limits.admit_site("k", 20, 0.0, 10.0)
    limits.keep_sites(frozenset())
    assert not limits.admit_site("k", 20, 0.0, 10.0)


def test_page_loads_are_remembered_up_to_a_number() -> None:
    """The one that was silent longest is forgotten: memory is bounded, and forgetting is only generous."""
    limits = Limits(1.0, 1.0)
    assert limits.session("first", 0.0).take()
    assert not limits.session("first", 0.5).take()
    for number in range(MOST_SESSIONS):
        limits.session(str(number), 1.0)
    assert limits.session("first", 1.0).take()
    assert len(limits._sessions) == MOST_SESSIONS


@given(st.lists(st.tuples(st.floats(0, 10), st.integers(1, 5)), max_size=50))
def test_no_page_load_gets_more_than_rate_and_burst(steps: list[tuple[float, int]]) -> None:
    """Whatever the rhythm."""
    limits, now, taken = Limits(2.0, 5.0), 0.0, 0
    for pause, count in steps:
        now += pause
        taken += sum(limits.session("s", now).take() for _ in range(count))
    assert taken <= 5.0 + 2.0 * now + 1e-6


def test_what_does_not_fit_is_not_lent() -> None:
    """And what is given back can be lent again."""
    budget = Budget(100)
    assert budget.take(60)
    assert not budget.take(41)
    assert budget.used == 60
    budget.give(60)
    assert budget.take(100)


@given(st.binary(max_size=5_000))
def test_what_was_compressed_comes_back(raw: bytes) -> None:
    """If it is not too large."""
    assert gunzip(gzip.compress(raw), 5_000) == raw
    assert gunzip(gzip.compress(raw + b"x" * 5_001), 5_000) is Code.BODY_TOO_LARGE


@given(st.binary(max_size=300))
def test_any_bytes_are_decompressed_or_refused(raw: bytes) -> None:
    """Never an exception."""
    assert isinstance(gunzip(raw, 1_000), bytes | Code)


def test_a_bomb_is_refused_without_being_inflated() -> None:
    """A gigabyte in a megabyte never stands in memory."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    bomb = b"".join(packer.compress(bytes(2**20)) for _ in range(256)) + packer.flush()
    assert len(bomb) < 2**20
    assert gunzip(bomb, 2**20) is Code.BODY_TOO_LARGE


@pytest.mark.parametrize(
    "body", [b"", b"{}", gzip.compress(b"{}", mtime=0)[:-1], gzip.compress(b"{}", mtime=0) * 2, zlib.compress(b"{}")]
)
def test_what_is_no_whole_gzip_is_refused(body: bytes) -> None:
    """Truncated, doubled, or another format."""
    assert gunzip(body, 1_000) is Code.BAD_ENCODING


def test_long_texts_are_not_remembered() -> None:
    """Who sends long numbers, words and origins fills no memory; short ones are remembered."""
    remembered = (mask_number, _is_word, _is_term, _is_login, _short_origin)
    before = [cache.cache_info().currsize for cache in remembered]
    long = {"from": "5" * 500, "direction": "x" * 500, "type": "y" * 500, "loginNumber": "+1*" * 500}
    scrub({"event": long, "page_origin": "https://" + "z" * 500 + ".example"}, KEY)
    assert [cache.cache_info().currsize for cache in remembered] == before
    scrub({"event": {"direction": "Sideways"}}, KEY)
    assert _is_word.cache_info().currsize == before[1] + 1


def test_labels_are_closed_and_codes_documented() -> None:
    """Every code is a label and stands on the page with its status and whether to retry."""
    assert len(set(OUTCOMES)) == len(OUTCOMES) == len(Code) + 3
    assert len(set(EVENT_OUTCOMES)) == len(EventCode) + 1
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    for code in Code:
        (row,) = [row for row in rows if f"`{code.name}`" in row]
        assert str(code.value.status) in re.findall(r"\d{3}", row.split("|")[1]), row
        assert f"| {str(code.value.retry).lower()} |" in row, row
    for event_code in EventCode:
        (row,) = [row for row in rows if row.startswith(f"| `{event_code.name}`")]
        assert f"| {str(event_code.value.retry).lower()} |" in row, row
