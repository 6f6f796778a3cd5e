"""One field in which a record and the offline reading differ."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Difference:
    """The field, what either says, and the leg."""

    field: str
    reading: Any
    record: Any
    leg: str

    @property
    def kind(self) -> str:
        """The class of the difference: words are told, numbers only by sign."""
        if isinstance(self.reading, int) and isinstance(self.record, int) and not isinstance(self.record, bool):
            return f"{self.field}: record {'longer or later' if self.record > self.reading else 'shorter or earlier'}"
        return f"{self.field}: reading {_word(self.reading)}, record {_word(self.record)}"


def _word(value: Any) -> str:
    return "a number" if isinstance(value, int) and not isinstance(value, bool) else str(value)
