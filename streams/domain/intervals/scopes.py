"""Whom numbers are added up for: an extension, its team, site and account, and the queue of a call (CONTRACT 7)."""

from functools import lru_cache

from streams.domain.words import ScopeType


def scope_key(scope_type: ScopeType, scope_id: str) -> str:
    """Return the key of a scope: `TEAM:billing`."""
    return f"{scope_type}:{scope_id}"


def parts_of(scope: str) -> tuple[str, str]:
    """Return type and id of a scope by its key."""
    scope_type, _, scope_id = scope.partition(":")
    return scope_type, scope_id


@lru_cache(maxsize=10_000)
def scopes_of(team: object, site: object, account_id: object, queue: object = None) -> tuple[str, ...]:
    """Return the keys of the scopes above an extension; those that are not known are left out."""
    given = (
        (ScopeType.TEAM, team),
        (ScopeType.QUEUE, queue),
        (ScopeType.SITE, site),
        (ScopeType.ACCOUNT, account_id),
    )
    return tuple(scope_key(scope_type, str(scope_id)) for scope_type, scope_id in given if scope_id)
