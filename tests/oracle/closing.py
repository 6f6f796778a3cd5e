"""What closes legs without telling of them: presence without a call, a snapshot, the last log-out (DECISIONS D)."""

from collections import defaultdict
from collections.abc import Iterable

from tests.oracle.ends import Evidence, Source
from tests.oracle.posts import Post

SESSION_FORGOTTEN_MS = 25 * 3_600_000


def evidence_by_extension(posts: Iterable[Post]) -> dict[str, list[Evidence]]:
    """Return the evidence of each extension in order of event time."""
    by_extension: dict[str, list[Post]] = defaultdict(list)
    for post in posts:
        by_extension[post.extension].append(post)
    return {extension: _evidence(sorted(mine, key=lambda post: post.at.at)) for extension, mine in by_extension.items()}


def _evidence(posts: Iterable[Post]) -> list[Evidence]:
    found = []
    logged_in: dict[str, int] = {}
    for post in posts:
        if post.kind == "rc-adapter-syncPresence" and post.event.get("telephonyStatus") == "NoCall":
            found.append(Evidence(Source.PRESENCE, post))
        elif post.kind == "rc-webphone-sessions-sync":
            dialogs = frozenset(str(call.get("id")) for call in post.event.get("calls") or [])
            found.append(Evidence(Source.SNAPSHOT, post, dialogs))
        elif _is_last_logout(post, logged_in):
            found.append(Evidence(Source.LOGOUT, post))
        _note_login(post, logged_in)
    return found


def _is_last_logout(post: Post, logged_in: dict[str, int]) -> bool:
    """The last logged-in page load of the extension says it is logged out (DECISIONS 25)."""
    if (
        post.kind != "rc-login-status-notify"
        or post.event.get("loggedIn") is not False
        or post.session not in logged_in
    ):
        return False
    others = [
        last
        for session, last in logged_in.items()
        if session != post.session and post.at.at - last < SESSION_FORGOTTEN_MS
    ]
    return not others


def _note_login(post: Post, logged_in: dict[str, int]) -> None:
    """Any call or presence of a known user implies logged in until a log-out (DECISIONS 35)."""
    if post.kind == "rc-login-status-notify" and post.event.get("loggedIn") is False:
        logged_in.pop(post.session, None)
    elif (
        post.kind == "rc-login-status-notify"
        or "call" in post.kind
        or "telephony" in post.kind
        or (post.kind == "rc-adapter-syncPresence" and post.event.get("telephonyStatus") is not None)
    ):
        logged_in[post.session] = post.at.at
