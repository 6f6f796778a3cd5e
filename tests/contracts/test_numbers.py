"""Phone numbers in every form of SPEC 2 become tokens that join and cannot be read; extensions stay (DECISIONS 41)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contracts.numbers import TOKEN, TokenKey, mask_again, mask_number, mask_queue
from tests.builders import KEY

OTHER = TokenKey(b"another secret of sixteen bytes", version=2)
RAW = TokenKey(KEY.secret, raw=True)
MAIN = "+16505550100"


@pytest.mark.parametrize(
    "written",
    ["+14155550142", "14155550142", "4155550142", "+1 (415) 555-0142", " +1.415.555.0142 ", "+1\u00a0415\u00a05550142"],
)
def test_every_way_to_write_a_number_gives_one_token(written: str) -> None:
    """Witnesses write one number in several forms; the join must hold all the same."""
    assert mask_number(written, KEY) == mask_number("+14155550142", KEY)
    assert mask_number(written, KEY)["kind"] == "EXTERNAL"


@pytest.mark.parametrize(
    ("written", "country"),
    [
        ("+14155550142", "US"),
        ("+14165550142", "CA"),
        ("+442079460000", "GB"),
        ("+4930123456", "DE"),
        ("+882161234567", None),
        ("+999123456789", None),
    ],
)
def test_the_country_is_the_numbers_own(written: str, country: str | None) -> None:
    """An ISO code of two letters, none where the number belongs to no country."""
    assert mask_number(written, KEY)["country"] == country


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("anonymous", "ANONYMOUS"),
        ("Anonymous", "ANONYMOUS"),
        ("restricted", "ANONYMOUS"),
        ("conference", "CONFERENCE"),
        ("conf_12345678901", "CONFERENCE"),
        ("*67", "SERVICE"),
        ("*6714155550142", "SERVICE"),
        ("911", "SERVICE"),
        ("112", "SERVICE"),
        ("", "UNKNOWN"),
        (" ", "UNKNOWN"),
        ("jo.doe", "UNKNOWN"),
        ("+", "UNKNOWN"),
        ("١٠١", "UNKNOWN"),
        ("1234567890123456", "UNKNOWN"),
        ("102", "EXTENSION"),
        ("0", "EXTENSION"),
        ("16505550100*102", "EXTENSION"),
        ("+16505550100*102", "EXTENSION"),
        ("+14155550142", "EXTERNAL"),
    ],
)
def test_the_kind_says_who_is_on_the_other_side(written: str, kind: str) -> None:
    """SIP user parts of SPEC 2, feature codes and short numbers of help included."""
    assert mask_number(written, KEY)["kind"] == kind


@pytest.mark.parametrize("written", ["102", "16505550100*102", "+16505550100*102"])
def test_an_extension_number_is_readable_and_its_main_number_gone(written: str) -> None:
    """Own and colleagues' numbers join as extension numbers."""
    assert mask_number(written, KEY) == {"token": "102", "country": None, "kind": "EXTENSION"}


@pytest.mark.parametrize("written", ["anonymous", "conf_12345678901", "", "unknown"])
def test_who_has_no_number_has_no_token(written: str) -> None:
    """Two anonymous callers are not one caller."""
    assert mask_number(written, KEY)["token"] is None


@given(st.from_regex(r"\+[1-9][0-9]{8,14}", fullmatch=True))
def test_a_token_holds_nothing_of_its_number(number: str) -> None:
    """Key and number decide it; the version of the key stands in front."""
    token, other = mask_number(number, KEY)["token"], mask_number(number, OTHER)["token"]
    assert token is not None
    assert other is not None
    assert TOKEN.fullmatch(token)
    assert (token[:3], other[:3]) == ("k1.", "k2.")
    assert token[3:] != other[3:]
    assert number[1:] not in token


@given(st.text(max_size=30), st.sampled_from([KEY, OTHER, RAW]))
def test_what_is_masked_is_known_as_masked(text: str, key: TokenKey) -> None:
    """Any text becomes something that a second masking leaves alone."""
    masked = mask_number(text, key)
    assert mask_again(dict(masked), key) == masked


@given(st.text(max_size=30))
def test_a_number_is_readable_only_with_the_opt_in(text: str) -> None:
    """Without it no run of nine digits passes; with it a raw one becomes the token it would have been."""
    masked = mask_number(text, RAW)
    assert mask_again(masked, KEY) == mask_number(text, KEY)


@pytest.mark.parametrize("value", [None, "k1.x", 5, [], {}, {"token": None}, {"token": 1, "country": 1, "kind": 1}])
def test_anything_else_is_not_taken_for_masked(value: object) -> None:
    """Only the three fields with what belongs into them."""
    assert mask_again(value, KEY) is None


@pytest.mark.parametrize("written", ["Support - ", "support", " SUPPORT -", "Support -"])
def test_a_queue_is_known_by_its_name_however_it_is_written(written: str) -> None:
    """Compared without case and without the widget's final dash (DECISIONS 47)."""
    assert mask_queue(written, KEY) == mask_queue("Support", KEY)


@given(st.text(max_size=30))
def test_masking_a_queue_again_changes_nothing(name: str) -> None:
    """The token of a queue is valid input; a name of nothing has none."""
    token = mask_queue(name, KEY)
    assert token is None or (token.startswith("q1.") and mask_queue(token, KEY) == token)
    assert token is not None or not name.strip(" -\t\n") or not name.strip()


def test_a_queue_and_a_number_of_the_same_text_do_not_join() -> None:
    """Tokens of two kinds of things are never equal by chance."""
    queue, number = mask_queue("*67", KEY), mask_number("*67", KEY)["token"]
    assert queue is not None
    assert number is not None
    assert queue[1:] != number[1:]


def test_the_key_does_not_show_its_secret() -> None:
    """It may end in a log or a traceback."""
    assert KEY.secret.decode() not in f"{KEY!r} {KEY}"
