"""The memory of one extension goes, whatever is in it (CONTRACT 4, DECISIONS 45)."""

import pytest

from streams.domain.extension import Extension, Tab, forget_tabs, is_forgettable, next_due
from streams.domain.words import State

EXTENSIONS = {
    "empty": Extension("e", seen=5),
    "with page loads": Extension("e", tabs={"a": Tab(seen=3), "b": Tab(seen=7)}, seen=7),
    "with a leg that nobody ended": Extension("e", open_legs={"leg": State.CONNECTED}, unsettled=["other"], seen=5),
}


@pytest.mark.parametrize("extension", EXTENSIONS.values(), ids=EXTENSIONS)
def test_what_is_due_changes_something(extension: Extension) -> None:
    """Otherwise it would be due again at once, and time would stand still for the whole partition."""
    while not is_forgettable(extension, due := next_due(extension)):
        before = len(extension.tabs)
        forget_tabs(extension, due)
        assert len(extension.tabs) < before
