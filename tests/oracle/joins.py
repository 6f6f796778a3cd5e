"""Which testimonies are about one leg (SPEC 2, DECISIONS B 8 and 9)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from tests.oracle.testimony import Key, State, Testimony, Witness

INIT_NEAR_MS = 5_000
RINGOUT_APART = (1000, 2000, 3000, 4000)
RINGOUT_NEAR_MS = 120_000

Group = list[Testimony]


def legs(told: Iterable[Testimony]) -> list[Group]:
    """Return the testimonies of each leg, in order of arrival."""
    groups = _by_names(told)
    groups = _join_inits(groups)
    groups = _join_ringouts(groups)
    return [group for group in groups if not _lone_nocall(group)]


def _by_names(told: Iterable[Testimony]) -> list[Group]:
    """Two testimonies that share a name are about one leg."""
    parent: dict[Key, Key] = {}

    def root(key: Key) -> Key:
        while parent.setdefault(key, key) != key:
            key = parent[key]
        return key

    kept = [testimony for testimony in told if testimony.keys]
    for testimony in kept:
        for key in testimony.keys[1:]:
            parent[root(key)] = root(testimony.keys[0])
    found: dict[Key, Group] = defaultdict(list)
    for testimony in kept:
        found[root(testimony.keys[0])].append(testimony)
    return list(found.values())


def started(group: Sequence[Testimony]) -> int:
    """Return when a leg began as far as told: its first ring, else its start."""
    rings = [testimony.ring.at for testimony in group if testimony.ring]
    starts = [testimony.started.at for testimony in group if testimony.started]
    return min(rings or starts or [testimony.post.at.at for testimony in group])


def _nameless(group: Group) -> bool:
    return group[0].outbound and all(
        testimony.witness is Witness.WEB_PHONE and not testimony.call_id for testimony in group
    )


def _join_inits(groups: list[Group]) -> list[Group]:
    """An init without ids belongs to the one outbound leg with its number that began within 5 s of it (DECISIONS 9)."""
    inits = [group for group in groups if _nameless(group)]
    others = [group for group in groups if not _nameless(group)]
    kept = []
    for init in inits:
        fits = [group for group in others if _fits(init, group)]
        if len(fits) == 1:
            fits[0].extend(init)
            fits[0].sort(key=lambda testimony: testimony.post.received)
        else:
            kept.append(init)
    return others + kept


def _fits(init: Group, group: Group) -> bool:
    dialled = any(testimony.witness is Witness.WEB_PHONE for testimony in group)
    return (
        group[0].outbound
        and not dialled
        and group[0].post.extension == init[0].post.extension
        and init[0].remote in {testimony.remote for testimony in group}
        and abs(started(group) - started(init)) <= INIT_NEAR_MS
    )


def _join_ringouts(groups: list[Group]) -> list[Group]:
    """Legs of one extension whose sessionId differs by 1000 to 4000 are one outbound leg (DECISIONS 8)."""
    outbound = {name: group for group in groups if group[0].outbound for name in _legacy(group)}
    merged: set[int] = set()
    for group in [group for group in groups if not group[0].outbound]:
        partner = _partner(group, outbound)
        if partner is not None:
            partner.extend(group)
            partner.sort(key=lambda testimony: testimony.post.received)
            merged.add(id(group))
    return [group for group in groups if id(group) not in merged]


def _legacy(group: Group) -> set[tuple[str, int]]:
    digits = {testimony.legacy for testimony in group if testimony.legacy and testimony.legacy.isdigit()}
    return {(group[0].post.extension, int(text)) for text in digits if text != "0"}


def _partner(group: Group, outbound: dict[tuple[str, int], Group]) -> Group | None:
    if any(testimony.witness is Witness.WEB_PHONE for testimony in group):
        return None
    for extension, legacy in _legacy(group):
        for apart in RINGOUT_APART:
            for name in ((extension, legacy - apart), (extension, legacy + apart)):
                other = outbound.get(name)
                if other is not None and abs(started(other) - started(group)) <= RINGOUT_NEAR_MS:
                    return other
    return None


def _lone_nocall(group: Group) -> bool:
    """A NoCall of an active call that no leg knows makes no leg (DECISIONS 20)."""
    return all(
        testimony.witness in (Witness.ACTIVE_CALL, Witness.RINGOUT) and testimony.state is State.ENDED
        for testimony in group
    )
