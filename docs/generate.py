"""Write the pages that repeat code: settings, topics, metrics, states of a leg, privacy.

python docs/generate.py            writes them
python docs/generate.py --check    says which are stale, exit code 1
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily

from streams.cli.gateway import command as gateway
from streams.cli.serve import command as serve
from streams.cli.serve import options_of
from streams.cli.worker import command as worker
from streams.contracts import schemas
from streams.contracts.catalog import Naming, catalog
from streams.contracts.privacy import POLICY, SPECIAL
from streams.contracts.sketch import GAMMA, ZERO
from streams.domain.legs import active_call, telephony, web_phone
from streams.domain.legs.evidence import Kind
from streams.domain.legs.joins import NAMES, PAIRED
from streams.domain.legs.outcome import HINTS
from streams.domain.legs.ranks import END_SOURCES, INFERRED, RANK, SAME_MS
from streams.domain.legs.reasons import ENDED_BY, REASONS
from streams.domain.legs.transitions import TRANSITIONS
from streams.gateway.answers import EVENT_OUTCOMES, OUTCOMES
from streams.gateway.drops import DROP_REASONS
from streams.serve.run import Server
from streams.settings import PREFIX, Settings
from streams.telemetry.gateway_metrics import GatewayMetrics, Gauges
from streams.telemetry.metrics import PREFIX as METRIC_PREFIX
from streams.telemetry.metrics import Metrics
from streams.worker.observer import StateCollector

HERE = Path(__file__).resolve().parent
NOTE = "<!-- Written by docs/generate.py from the code; edit that instead. -->\n"


def settings() -> str:
    """Return the page of settings."""
    flags = {one.name: f"`{one.opts[0]}`" for command in (worker, gateway, serve) for one in command.params}
    rows = [
        f"| `{name}` | {flags.get(name, 'none')} | `{PREFIX}{name.upper()}` | {field.description} |"
        f" {'none' if field.default is None else f'`{field.default}`'} |"
        for name, field in Settings.model_fields.items()
    ]
    head = "# Settings\n\nFlags win over variables, variables over the TOML file of `--config` (or `WIDGET_STREAMS_CONFIG`)."
    head += " An unknown name or a wrong value stops the start and is named.\n\n"
    return head + "| In TOML | Flag | Variable | What | Default |\n|---|---|---|---|---|\n" + "\n".join(rows) + "\n"


def topics() -> str:
    """Return the page of topics."""
    rows = []
    for topic in catalog().topics:
        kept = "for ever" if topic.retention_ms is None else f"{topic.retention_ms // 86_400_000} d"
        written = "" if topic.is_written else " (not yet written)"
        rows.append(
            f"| {topic.number} | `{topic.name(Naming())}` | {topic.key} | {topic.value} | {topic.cleanup} | {kept} |"
            f" {topic.purpose}{written} |"
        )
    head = "# Topics\n\nAll have the same partition count. `widget-streams topics apply` creates what is missing.\n\n"
    return (
        head
        + "| # | Topic | Key | Value | Cleanup | Kept | What |\n|---|---|---|---|---|---|---|\n"
        + "\n".join(rows)
        + "\n"
    )


def metrics() -> str:
    """Return the page of metrics."""
    rows = [*_registered(Metrics().registry), *_registered(_gateway().registry, f"{METRIC_PREFIX}_gateway")]
    rows += _registered(Server(options_of(Settings(), "")).metrics.registry, f"{METRIC_PREFIX}_serve")
    for family in StateCollector(lambda: ()).collect():
        assert isinstance(family, GaugeMetricFamily)
        rows.append(f"| `{family.name}` | gauge | {', '.join(family._labelnames)} | {family.documentation} |")
    text = "Age of the oldest record that may not be folded yet."
    rows.append(f"| `widgetstreams_consumer_lag_seconds` | gauge | topic, partition | {text} |")
    head = "# Metrics\n\nServed by each worker, `_gateway_` by each gateway and `_serve_` by each serve, at `/metrics`. Seconds and bytes; counters are raised after the commit of what they"
    head += " count; labels come from closed sets, never from people. Several workers add up with `sum`.\n\n"
    table = "| Metric | Type | Labels | What |\n|---|---|---|---|\n"
    return head + table + "\n".join(sorted(rows)) + "\n"


def _gateway() -> GatewayMetrics:
    made = GatewayMetrics(OUTCOMES, EVENT_OUTCOMES, DROP_REASONS, "")
    made.watch(Gauges(float, float, float, float))
    return made


def _registered(registry: CollectorRegistry, begins: str = "") -> Iterator[str]:
    for metric in registry.collect():
        if metric.name.startswith(begins):
            labels = ", ".join(getattr(registry._names_to_collectors.get(metric.name), "_labelnames", ()))
            suffix = "_total" if metric.type == "counter" else ""
            yield f"| `{metric.name}{suffix}` | {metric.type} | {labels} | {metric.documentation} |"


def states() -> str:
    """Return the page of states, transitions, joins and outcomes of a leg."""
    edges = "\n".join(f"    {before or '[*]'} --> {after}: {word}" for (before, after), word in TRANSITIONS.items())
    rows = "\n".join(f"| {before or '-'} | {after} | {word} |" for (before, after), word in TRANSITIONS.items())
    head = "# The states of a leg\n\nA leg is one extension's part in a call. Its state is read off the evidence after each"
    head += " post; a change of state is a call event. Mute is a flag beside the state.\n\n"
    diagram = f"```mermaid\nstateDiagram-v2\n{edges}\n```\n\n"
    moves = f"| Before | After | Call event |\n|---|---|---|\n{rows}\n\n"
    return head + diagram + moves + "\n".join((_words(), _joins(), _ranks(), _outcomes()))


def _table(title: str, text: str, names: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = "\n".join(f"| {' | '.join(str(cell) for cell in row)} |" for row in rows)
    return f"## {title}\n\n{text}\n\n| {' | '.join(names)} |\n|{'---|' * len(names)}\n{lines}\n"


def _words() -> str:
    said: dict[Kind, list[list[str]]] = {kind: [[], [], []] for kind in Kind}
    for event_type, kind in web_phone.KINDS.items():
        said[kind][0].append(f"`{event_type.lower().removeprefix('rc_call_').removesuffix('_notify')}`")
    said[Kind.MUTED][0].append("`mute` true")
    said[Kind.UNMUTED][0].append("`mute` false")
    for place, table in ((1, active_call.KINDS), (2, telephony.KINDS)):
        for word, kind in table.items():
            said[kind][place].append(f"`{word}`")
    said[Kind.MUTED][2].append("`muted` true")
    said[Kind.UNMUTED][2].append("`muted` false")
    rows = [(kind, *(", ".join(words) or "-" for words in said[kind])) for kind in Kind]
    names = ("Kind", "Web phone: rc-call-…-notify", "Active call, ringout: telephonyStatus", "Own party: status code")
    return _table("What witnesses say", "Each post of a witness says one of these.", names, rows)


def _joins() -> str:
    text = (
        "A post belongs to the leg that it names, the best name first. What has no name in common with any leg may be"
    )
    text += f" joined by number and time: an outbound call of the web phone whose ids are not known yet, at most {SAME_MS / 1000:g} s apart,"
    text += " if exactly one leg fits. Two outbound and inbound legs of a RingOut, whose legacy session ids differ by"
    text += f" {', '.join(str(number) for number in PAIRED)}, are one outbound leg."
    rows = [(place, join.what, join.source) for place, join in enumerate(NAMES, 1)]
    return _table("One leg", text, ("", "Name", "Told by"), rows)


def _ranks() -> str:
    text = "Ring, answer and end are those of the highest witness that tells them; evidence ends a leg only where nobody does."
    ends = [*(END_SOURCES[witness] for witness in RANK), *INFERRED]
    told = [*RANK, *("evidence" for _ in INFERRED)]
    return _table(
        "Who is believed",
        text,
        ("", "Witness", "`end_source`"),
        [(place, told[place - 1], end) for place, end in enumerate(ends, 1)],
    )


def _outcomes() -> str:
    text = (
        "Answered wins over all. Of a leg that was not, the telephony session's reason decides (any spelling, strongest"
    )
    text += " first), then the flags of the web phone's end; an inbound leg is MISSED and an outbound one UNANSWERED otherwise."
    rows = [
        (direction, f"`{reason}`", word, ENDED_BY[direction].get(reason, "-"))
        for direction, table in REASONS.items()
        for reason, word in table.items()
    ]
    rows += [("INBOUND", f"flag {hint}", word, "SELF") for hint, word in HINTS.items()]
    return _table("How a leg came out", text, ("Direction", "Told", "`disposition`", "`ended_by`"), rows)


def privacy() -> str:
    """Return the page of the privacy policy."""
    meaning = {
        "word": "kept if it is a word of the vendor's",
        "term": "kept if it is a term (type, version)",
        "uuid": "kept if it is a UUID, else hashed",
        "id": "kept: a pseudonymous id",
        "flag": "kept",
        "count": "kept",
        "serial": "kept",
        "instant": "kept",
        "number": "becomes `{token, country, kind}`; extension numbers stay readable",
        "hash": "becomes its SHA-256",
        "queue": "becomes a token",
        "length": "becomes its length",
        "present": "becomes true: there was one",
        "url": "cut to host and path",
        "origin": "cut to scheme, host and port",
        "route": "cut to two segments without ids",
        "login": "kept if it is an extension key, else as a number",
        "inside": "looked into",
    }
    rows = [
        f"| {rule} | {text} | {', '.join(f'`{name}`' for name, used in POLICY.items() if used == rule)} |"
        for rule, text in meaning.items()
    ]
    special = ", ".join(f"`{place}.{name}`: {rule}" for (place, name), rule in SPECIAL.items())
    head = "# Privacy\n\nWhat becomes of each field of an envelope and of a widget event, before anything is written. What is not"
    head += " named here is dropped, and so is a value that does not have the form its rule expects.\n\n"
    return (
        head
        + "| Rule | What becomes of it | Fields |\n|---|---|---|\n"
        + "\n".join(rows)
        + f"\n\nApart from these: {special}.\n"
    )


def interval_metrics() -> str:
    """Return the page of interval metrics."""
    rows = [
        f"| `{field['name']}` | {_type(field['type'])} | {field['doc']} |"
        for field in schemas.load("IntervalMetrics")["fields"]
    ]
    head = "# Interval metrics\n\n`widget.interval-metrics.v1` has a row for each window of 60, 900 and 1,800 seconds and each day of"
    head += " the account's time zone, for each extension, team, queue, site and account. Upsert by key; the highest revision wins."
    head += " Amounts are sums and counts, so that rows can be added up over time and over extensions; rates are for the reader.\n\n"
    head += "- A scope is the sum of the rows of its extensions, whenever stream time stands still; QUEUE rows have calls only.\n"
    head += "- Quarters and half hours add up to the day; minutes too, for calls, messages and logins. OFFLINE and UNKNOWN give no"
    head += " row of their own, so that a quarter with nothing else is missing from such a sum.\n"
    head += "- `distinct_calls_*`, `longest_*` and `max_concurrent_calls` cannot be added up.\n"
    head += "- EARLY rows come at most every 10 s of stream time, when something changed; FINAL 30 s after the window's end; AMENDED"
    head += " when later news change it, for 50 hours.\n"
    head += f"- A quantile: sort the buckets of a sketch by number, `{ZERO}` first, go up to the wanted share of the sum of all counts,"
    head += (
        f" and take the bucket's value 2*G^n/(G+1) ms with G = {GAMMA:.10f}. `streams/contracts/sketch.py` does it.\n\n"
    )
    sql = (HERE / "rates.sql").read_text(encoding="utf-8")
    table = "| Field | Type | What |\n|---|---|---|\n" + "\n".join(rows) + "\n"
    return head + table + f"\n## Rates\n\n```sql\n{sql}```\n"


def _type(declared: object) -> str:
    """Return an Avro type in words."""
    if isinstance(declared, list):
        return _type(declared[1]) + " or null"
    if isinstance(declared, dict):
        words = {"map": f"map of {declared.get('values')}", "enum": str(declared.get("name"))}
        return words.get(declared["type"], str(declared.get("logicalType", declared["type"])))
    return str(declared)


PAGES = {
    "interval-metrics": interval_metrics,
    "settings": settings,
    "topics": topics,
    "metrics": metrics,
    "call-states": states,
    "privacy": privacy,
}


def stale(folder: Path = HERE) -> Iterator[Path]:
    """Give the pages of a folder that do not say what the code says."""
    for name, page in PAGES.items():
        path = folder / f"{name}.md"
        if not path.exists() or path.read_text(encoding="utf-8") != NOTE + page():
            yield path


def main() -> int:
    """Write or check the pages."""
    old = list(stale())
    if "--check" in sys.argv[1:]:
        for path in old:
            sys.stdout.write(f"{path.name} is stale: run python docs/generate.py\n")
        return 1 if old else 0
    for name, page in PAGES.items():
        (HERE / f"{name}.md").write_text(NOTE + page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
