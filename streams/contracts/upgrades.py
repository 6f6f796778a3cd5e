"""Saved state of older versions, made into that of this one when it is read (DECISIONS 51).

Version 1 kept of a leg what its dialogs told in sum; version 2 keeps the posts themselves. Upgrading makes the posts
that the sums stand for. Both are objects with names (`named_state`); since version 3 state is rows. Version 4 keeps how
far the end of a leg was moved; of an older one the end is taken for the first one told. Version 5 keeps when the legs
began that ended; of older ones the legs themselves are asked.
"""

from collections.abc import Callable
from typing import Any

State = dict[str, Any]
# NB: Any, because saved state is whatever JSON has: an object up to version 2, a list since.
Upgrade = Callable[[Any], Any]
_KINDS = {"ANSWERED": "CONNECTED", "RESUMED": "CONNECTED"}
_ENDED = 5
"""Place of the legs that ended in the row of an extension."""
_KEPT = ("witness", "session_id", "dialog", "ring", "end_answer")


def _leg_of_1(leg: State) -> State:
    """Return a leg of version 2."""
    posts: list[State] = []
    dialogs = []
    for index, dialog in enumerate(leg.get("dialogs", [])):
        kept = {name: dialog[name] for name in _KEPT if name in dialog}
        kept["word"] = dialog.get("last_kind") or ""
        if "answer" in dialog and not dialog.get("answer_inferred"):
            kept["answer"] = dialog["answer"]
            posts.append(_post("CONNECTED", dialog["answer"], index))
        if "ring" in dialog:
            posts.append(_post("RANG", dialog["ring"], index))
        if "end" in dialog and not dialog.get("end_void"):
            end = _post("ENDED", dialog["end"], index, sequence=dialog.get("end_sequence"))
            posts.append({**end, "hints": dialog.get("hints", [])})
        dialogs.append(kept)
    for change in leg.get("changes", []):
        posts += _changes_of_1(change, dialogs)
    posts.sort(key=lambda post: int(post["order"]))
    known = leg.get("telephony_session_id")
    upgraded = {**leg, "dialogs": dialogs, "posts": posts, "session_ids": [known] if known else []}
    closing = leg.get("closing")
    upgraded["closing_due"] = closing["due"] if closing else None
    return upgraded


def _changes_of_1(change: State, dialogs: list[State]) -> list[State]:
    kind = str(_KINDS.get(change["kind"], change["kind"]))
    tellers = [teller.partition("/")[2] for teller in change.get("tellers", [])]
    return [
        _post(kind, change["at"], index)
        for index, dialog in enumerate(dialogs)
        if dialog.get("session_id") in tellers and dialog["witness"] == change["witness"]
    ]


def _post(kind: str, at: list[Any], dialog: int, sequence: int | None = None) -> State:
    return {"kind": kind, "at": at, "posted": at, "dialog": dialog, "order": at[0], "sequence": sequence}


def _leg_of_3(leg: Any) -> Any:
    """Return a leg of version 4."""
    words, row = leg
    return [words, [*row, 0]]


def _extension_of_4(extension: Any) -> Any:
    """Return an extension of version 5."""
    words, row = extension
    return [words, [*row[:_ENDED], dict.fromkeys(row[_ENDED]), *row[_ENDED + 1 :]]]


UPGRADES: dict[tuple[str, int], Upgrade] = {
    ("Leg", 1): _leg_of_1,
    ("Leg", 3): _leg_of_3,
    ("Extension", 4): _extension_of_4,
}
"""By kind of state and version: makes the next version of it. A kind without a row only got new optional fields."""


def upgraded(kind: str, version: int, to: int, state: Any) -> Any:
    """Return state of this kind and version as one of version `to`."""
    for step in range(version, to):
        upgrade = UPGRADES.get((kind, step))
        state = state if upgrade is None else upgrade(state)
    return state
