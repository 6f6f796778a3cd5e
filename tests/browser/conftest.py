"""A real Chromium, a page and a widget on two origins, and a ledger in the gateway's place."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser.chromium import ABSENT, FLAGS, environment, executable
from tests.browser.ledger import Ledger
from tests.browser.site import Site
from tests.browser.tabs import Tab

OpenTab = Callable[..., Tab]


# Not for the whole run: while Playwright is there its loop turns in this thread, and no other test can `asyncio.run`.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Give a Chromium that serves one file of tests; each test gets a profile of its own."""
    path = executable()
    if path is None:
        pytest.skip(ABSENT)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=FLAGS, env=environment())
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """Give the two origins."""
    served = Site()
    yield served
    served.close()


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    """Give a receiving end that takes everything until it is told otherwise."""
    opened = Ledger()
    opened.up()
    yield opened
    opened.down()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Give a fresh browser profile, shared by the tabs of one test."""
    profile = browser.new_context()
    yield profile
    profile.close()


@pytest.fixture
def tab(context: BrowserContext, site: Site, ledger: Ledger) -> OpenTab:
    """Give `tab(**attributes)`: opens a tab whose script tag has these attributes; an empty one leaves it out."""
    return lambda **attributes: Tab(context, site, ledger, **attributes)
