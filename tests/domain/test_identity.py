"""Who an event belongs to: login numbers that are keys, and those that name nobody for sure (CONTRACT 4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.domain.identity import extension_key


@pytest.mark.parametrize("number", ["+16505550100*101", "16505550100*101"])
def test_a_main_number_and_an_extension_are_a_key(number: str) -> None:
    """With or without plus it is the same one."""
    assert extension_key(number) == "+16505550100*101"


@pytest.mark.parametrize(
    "number",
    [
        None, "", "*", "*101", "+١٦٥٠٥٥٥٠١٠٠*١٠١",
        "+16505550100*", "+16505550100", "101", "+1650*101", "+16505550100*0", "+16505550100*000",
        "+16505550100*101*2", "+16505550100 *101", " +16505550100*101", "+16505550100*101\n", "++16505550100*101",
        "+16505550100*10a", "+1650…*101", "+1234567890123456*101", "+16505550100*123456789", "null*null",
    ],
)  # fmt: skip
def test_a_degenerate_number_is_no_key(number: str | None) -> None:
    """Seen in the field: a missing permission gives `*101`, a missing extension `+16505550100*`."""
    assert extension_key(number) is None


@given(st.text(max_size=30) | st.from_regex(r"\+?[0-9]{5,15}\*[0-9]{1,8}", fullmatch=True))
def test_a_key_is_its_own_key(number: str) -> None:
    """Keys are written in one way only."""
    key = extension_key(number)
    assert key is None or extension_key(key) == key
    assert key is None or key.isascii()
