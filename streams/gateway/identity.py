"""Whom an identity token names, and whether an envelope says the same (CONTRACT 4)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from streams.domain.identity import extension_key


@dataclass(frozen=True, slots=True)
class Identity:
    """The user that the host's server vouches for."""

    login_number: str
    """An extension key; without one nothing could be vouched for, since it decides whose an event is."""
    account_id: str | None = None
    extension_id: str | None = None
    fields: Mapping[str, Any] = field(init=False, repr=False, compare=False)
    """What it writes into an envelope."""

    def __post_init__(self) -> None:
        """Prepare the fields."""
        ids = {"account_id": self.account_id, "extension_id": self.extension_id}
        known = {name: value for name, value in ids.items() if value is not None}
        object.__setattr__(self, "fields", {"login_number": self.login_number, **known, "verified": True})

    def agrees(self, envelope: Mapping[str, Any]) -> bool:
        """Tell whether a scrubbed envelope names nobody else; what it does not say, it does not contradict.

        A widget event that tells of a login counts as well: its number decides whose the page load is from there on.
        """
        if not self._is_own(envelope.get("login_number")) or not self._is_own(envelope["event"].get("loginNumber")):
            return False
        return all(
            envelope.get(name) is None or own is None or str(envelope[name]) == own
            for name, own in (("account_id", self.account_id), ("extension_id", self.extension_id))
        )

    def _is_own(self, said: object) -> bool:
        if said is None:
            return True
        # A number that names nobody for sure (`*101`) does not name somebody else either (SPEC 3.6).
        return isinstance(said, str) and extension_key(said) in (None, self.login_number)
