"""Legs that prove to be one, and dialogs that prove to belong elsewhere (DECISIONS 8 to 10)."""

from streams.domain.legs.evidence import Dialog, Leg, Post
from streams.domain.legs.tell import put_all_in_order


def absorb(keeper: Leg, loser: Leg, *, own_phone: bool = False) -> None:
    """Put all that was told about `loser` into `keeper`.

    Args:
        keeper: The leg that stays.
        loser: The leg that goes.
        own_phone: It was the inbound side of a RingOut: only its ring is part of the leg.
    """
    for dialog in loser.dialogs:
        dialog.own_phone = dialog.own_phone or own_phone
    add(keeper, loser.dialogs, loser.posts)
    keeper.merged = True
    for mine, other in (
        (keeper.sessions, loser.sessions),
        (keeper.session_ids, loser.session_ids),
        (keeper.aliases, loser.aliases),
    ):
        mine += [name for name in other if name not in mine]
    keeper.inputs += [position for position in loser.inputs if position not in keeper.inputs]
    for session_id, skew in loser.skews.items():
        keeper.skews[session_id] = min(skew, keeper.skews.get(session_id, skew))
    for session_id, span in loser.spans.items():
        known = keeper.spans.get(session_id)
        if known is None or span.first < known.first:
            keeper.spans[session_id] = span
    if keeper.remote is None or keeper.remote["kind"] == "UNKNOWN":
        keeper.remote = loser.remote
    keeper.queue = keeper.queue or loser.queue
    for flag in ("queue_call", "ringout", "handed_over", "consults", "skew_high"):
        setattr(keeper, flag, getattr(keeper, flag) or getattr(loser, flag))
    keeper.time_uncertainty_ms = max(keeper.time_uncertainty_ms, loser.time_uncertainty_ms)
    keeper.last_life = max(keeper.last_life, loser.last_life)
    keeper.last_news = max(keeper.last_news, loser.last_news)


def add(leg: Leg, dialogs: list[Dialog], posts: list[Post]) -> None:
    """Put dialogs and their posts into a leg; the posts name their dialog by its place in `dialogs`."""
    base = len(leg.dialogs)
    leg.dialogs += dialogs
    for post in posts:
        post.dialog += base
    leg.posts += posts
    put_all_in_order(leg)


def take_out(leg: Leg, dialog: Dialog) -> list[Post]:
    """Take a dialog out of a leg and return its posts, which then name it as the first."""
    index = leg.dialogs.index(dialog)
    mine = [post for post in leg.posts if post.dialog == index]
    leg.posts = [post for post in leg.posts if post.dialog != index]
    del leg.dialogs[index]
    for post in leg.posts:
        post.dialog -= post.dialog > index
    for post in mine:
        post.dialog = 0
    return mine
