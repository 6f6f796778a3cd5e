"""From settings and the cluster to the plan that stages run by."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from streams.contracts.catalog import Naming, topic
from streams.contracts.directory import Directory, Lookup
from streams.contracts.numbers import TokenKey
from streams.pipeline.extensions import ExtensionsStage
from streams.pipeline.plan import Plan
from streams.pipeline.scopes import ScopesStage
from streams.pipeline.sessions import SessionsStage
from streams.settings import Settings, token_secret

if TYPE_CHECKING:
    # NB: here only, because the engine brings Faust, and `verify` starts in half the time without it.
    from streams.engine.stage import Stage

STAGES: "dict[str, Callable[[Plan, str], Stage]]" = {
    "sessions": SessionsStage,
    "extensions": ExtensionsStage,
    "scopes": ScopesStage,
}
"""All stages in the order of the flow; each is made with its plan and the name of its changelog."""


def plan_of(settings: Settings, partitions: int, directory: Lookup | None = None) -> Plan:
    """Return the plan of an installation whose topics have this many partitions; without a directory, an empty one.

    Raises:
        SettingsError: There is no usable secret for the tokens.
    """
    key = TokenKey(token_secret(settings), settings.token_key_version, settings.raw_personal_data)
    return Plan(
        key,
        naming=Naming(settings.topic_prefix, settings.group),
        partitions=partitions,
        identity_wait_ms=round(settings.identity_wait_seconds * 1000),
        directory=Directory(key) if directory is None else directory,
    )


def stages_of(plan: Plan, names: Sequence[str] = ()) -> "Sequence[Stage]":
    """Return the stages that a worker runs, in the order of the flow: those named, or all of them."""
    return [
        make(plan, topic(f"{name}-changelog").name(plan.naming))
        for name, make in STAGES.items()
        if not names or name in names
    ]
