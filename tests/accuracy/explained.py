"""Classes of differences between the fold and the offline reading that are explained, each by a rule."""

EXPLAINED: dict[str, str] = {}
"""Beginning of a class -> whose doing it is and why."""


def explanation(kind: str) -> str | None:
    """Return why a class of differences is no fault of the fold, or null."""
    return next((why for prefix, why in EXPLAINED.items() if kind.startswith(prefix)), None)
