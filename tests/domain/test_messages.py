"""Messages: each version once, CREATED, UPDATED and INBOUND (SPEC 3.8, DECISIONS 38)."""

from tests.builders import HOUR, Json, Result, Tab, fold


def told(result: Result) -> list[str]:
    """Return the types of the message events in order."""
    return [row["type"] for row in result.of("MessageEvent")]


def test_a_new_message_is_created_and_then_inbound() -> None:
    """The widget posts `updated` first, then `inbound`."""
    tab = Tab()
    result = fold([tab.message(500), tab.message(510, kind="inbound", changed=500)])
    assert told(result) == ["CREATED", "INBOUND"]
    row = result.of("MessageEvent")[0]
    assert (row["message_id"], row["message_type"], row["direction"], row["body_chars"]) == ("901", "SMS", "INBOUND", 6)


def test_an_inbound_notice_alone_brings_created() -> None:
    """INBOUND brings CREATED first if none was seen; the update of that version then repeats it."""
    tab = Tab()
    result = fold([tab.message(500, kind="inbound"), tab.message(600, changed=500)])
    assert told(result) == ["CREATED", "INBOUND"]
    assert (result.summary["accepted"], result.summary["duplicate"]) == (1, 1)


def test_a_version_is_told_once_whatever_tab_posts_it() -> None:
    """An id is compared as text; a second notice of the same kind and version repeats it."""
    one, other = Tab("A"), Tab("B")
    posts: list[Json] = [one.message(500), other.message(600, changed=500, id="901"), one.message(900, changed=900)]
    assert told(fold(posts)) == ["CREATED", "UPDATED"]


def test_an_old_message_seen_for_the_first_time_is_updated() -> None:
    """First seen when it was changed more than 600 s after its creation: it was not new then."""
    assert told(fold([Tab().message(700_000)])) == ["UPDATED"]


def test_a_deleted_message_keeps_what_was_known_of_it() -> None:
    """A deletion tells only id and availability; type and direction stay those of before."""
    tab = Tab()
    gone = tab.say("rc-message-updated-notify", 9_000, message={"id": 901, "availability": "Deleted"})
    row = fold([tab.message(500), gone]).of("MessageEvent")[-1]
    assert (row["type"], row["availability"], row["message_type"], row["direction"]) == (
        "UPDATED",
        "DELETED",
        "SMS",
        "INBOUND",
    )


def test_delivery_words_are_upper_snake_case() -> None:
    """RingCentral's words become ours; unknown ones are UNKNOWN."""
    tab = Tab()
    posts = [tab.message(500, messageStatus="DeliveryFailed", type="VoiceMail"), tab.message(900, messageStatus="Odd")]
    rows = fold(posts).of("MessageEvent")
    assert [row["message_status"] for row in rows] == ["DELIVERY_FAILED", "UNKNOWN"]
    assert rows[0]["message_type"] == "VOICEMAIL"


def test_no_text_and_no_number_is_kept() -> None:
    """Of the text remains its length, of numbers their tokens."""
    result = fold([Tab().message(500, subject="meet me at noon")])
    written = str([row.row for row in result.rows])
    assert "noon" not in written
    assert "4155550142" not in written


def test_a_message_is_remembered_for_a_week() -> None:
    """A refresh that posts it again within the week tells nothing new."""
    tab = Tab()
    posts = [tab.message(500, kind="inbound"), tab.message(100 * HOUR, kind="inbound", changed=500)]
    assert told(fold(posts)) == ["CREATED", "INBOUND"]
