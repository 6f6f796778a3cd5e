"""Two tests at a time (`make test`): each folder in one process, with its broker, its Chromium, its simulated days."""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling


class ByFolder(LoadScopeScheduling):  # type: ignore[misc] # pytest-xdist has no types
    """Gives the next folder of tests to the process that is free."""

    def _split_scope(self, nodeid: str) -> str:
        """Return the folder below `tests/`."""
        return nodeid.split("::")[0].split("/")[1]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFolder:
    """Keep folders together, not modules: a second broker or Chromium would cost more than it saves."""
    return ByFolder(config, log)
