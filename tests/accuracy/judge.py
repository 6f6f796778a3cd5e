"""Records against the true facts: nothing invented, nothing missed, outcome right, durations inside the uncertainty.

A duration is right when it differs from the truth by no more than the record's `time_uncertainty_ms` plus the network
delay: for each instant that it rests on, the most by which a deciding post that was posted because of that instant put
it off. A leg is judged by what some witness told; what nobody told is left out, by the rule that says what is then
concluded.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.accuracy.facts import Leg

Record = dict[str, Any]
NEAR_MS = 10_000

OUTCOMES: dict[str, tuple[str, ...]] = {
    "ANSWERED": ("answer",),
    "MISSED": ("end",),
    "REJECTED": ("reason-Rejected",),
    "VOICEMAIL": ("code-VoiceMail", "flag-isToVoicemail"),
    "FORWARDED": ("reason-CallRedirected", "flag-isForwarded"),
    "REPLIED": ("reason-CallReplied", "flag-isReplied"),
    "ANSWERED_ELSEWHERE": ("reason-AgentAnswered", "reason-Pickup"),
    "UNANSWERED": ("end",),
    "BUSY": ("reason-TargetBusy",),
    "FAILED": (
        "reason-InvalidNumber",
        "reason-NoSuchUser",
        "reason-DestinationBlocked",
        "reason-InternationalDisabled",
        "reason-NotEnoughFunds",
        "reason-InternalError",
    ),
}
"""What has to be told for an outcome to be known: one of these."""

RULES = {
    "unseen": "no post about the leg arrived: no record can be (CONTRACT 6)",
    "outcome": "the outcome was told by nobody: SPEC 3.1.3, DECISIONS 29 and 34 conclude the plain one",
    "ring": "the ring was told by nobody: DECISIONS 7 takes the server's start for the answer",
    "answer": "the answer was told by nobody, or only by a later page load: DECISIONS 3 takes the first sight",
    "lag": "the platform's pushes lagged behind the browser's start: DECISIONS 31 takes the pushed answer",
    "hold": "a hold, park or mute, or its end, was told by nobody: DECISIONS 16 invents none",
    "end": "the end was told by nobody: DECISIONS 24 to 26 conclude it from later evidence",
}
"""Why a leg is left out of a check."""


@dataclass(frozen=True)
class Wrong:
    """A leg that a record tells wrongly, or not at all, or that never was."""

    what: str
    leg: Leg | None
    record: Record | None
    detail: str


@dataclass
class Verdict:
    """What the comparison with the truth found."""

    legs: int = 0
    outcomes_judged: int = 0
    durations_judged: int = 0
    left_out: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    legs_left_out: int = 0
    wrong: list[Wrong] = field(default_factory=list)
    errors: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def count(self, what: str) -> int:
        """Return how many legs are wrong in this way."""
        return sum(wrong.what == what for wrong in self.wrong)

    def add(self, other: "Verdict") -> None:
        """Take another centre's verdict in."""
        self.legs += other.legs
        self.outcomes_judged += other.outcomes_judged
        self.durations_judged += other.durations_judged
        self.legs_left_out += other.legs_left_out
        self.wrong += other.wrong
        for name, number in other.left_out.items():
            self.left_out[name] += number
        for name, errors in other.errors.items():
            self.errors[name] += errors


def judge(legs: Sequence[Leg], records: Iterable[Record]) -> Verdict:
    """Return what the records have right and wrong about the legs that happened."""
    verdict = Verdict(legs=len(legs))
    for leg, record in _pairs(legs, records, verdict):
        left_out = reasons_left_out(leg)
        for reason in left_out:
            verdict.left_out[reason] += 1
        verdict.legs_left_out += bool(left_out)
        if record is None:
            if leg.seen:
                verdict.wrong.append(Wrong("missing", leg, None, "no record"))
            continue
        _outcome(leg, record, verdict, left_out)
        _durations(leg, record, verdict, left_out)
    return verdict


def reasons_left_out(leg: Leg) -> list[str]:
    """Return the rules by which a leg is left out of a check; none for most."""
    if not leg.seen:
        return ["unseen"]
    found = [] if any(fact in leg.told for fact in OUTCOMES[leg.disposition]) else ["outcome"]
    untold = {fact.removeprefix("un").rstrip("0123456789") for fact in leg.facts if fact not in leg.told}
    names = {"park": "hold", "mute": "hold"}
    found += ["lag"] if leg.lagged else []
    return found + sorted({names.get(fact, fact) for fact in untold})


def bound(leg: Leg, facts: Iterable[str], uncertainty: int) -> int:
    """Return how far a duration may be off that rests on these facts."""
    return uncertainty + sum(leg.off(fact) for fact in facts)


def facts_of(leg: Leg, duration: str) -> list[str]:
    """Return the facts that a duration rests on."""
    prefixes = {
        "hold_ms": ("hold", "unhold"),
        "park_ms": ("park", "unpark"),
        "mute_ms": ("mute", "unmute"),
        "talk_ms": ("hold", "unhold", "park", "unpark"),
    }
    inner = [fact for fact in leg.facts if fact.rstrip("0123456789") in prefixes.get(duration, ())]
    ends = {
        "ring_ms": ["ring", "end" if leg.answer is None else "answer"],
        "talk_ms": ["answer", "end"] if leg.answer is not None else [],
        "total_ms": ["answer" if leg.ring is None else "ring", "end"],
    }
    open_to_the_end = ["end"] if inner and duration != "talk_ms" else []
    return [*ends.get(duration, []), *inner, *open_to_the_end]


def _pairs(legs: Sequence[Leg], records: Iterable[Record], verdict: Verdict) -> list[tuple[Leg, Record | None]]:
    """Match by extension, call and direction; a record without call id by extension, direction and time."""
    by_key: dict[tuple[str, str, str], list[Record]] = defaultdict(list)
    nameless: list[Record] = []
    for record in records:
        if record.get("call_id") is None:
            nameless.append(record)
        else:
            by_key[(record["extension_key"], record["call_id"], record["direction"])].append(record)
    pairs: list[tuple[Leg, Record | None]] = []
    for leg in legs:
        mine = by_key.pop((leg.extension, leg.call_id, leg.direction), [])
        pairs.append((leg, mine[0] if mine else _by_time(leg, nameless)))
        verdict.wrong += [Wrong("doubled", leg, record, "a second record") for record in mine[1:]]
    strangers = [record for many in by_key.values() for record in many] + nameless
    verdict.wrong += [
        Wrong("invented", None, record, f"{record['direction']} {record['disposition']}") for record in strangers
    ]
    return pairs


def _by_time(leg: Leg, nameless: list[Record]) -> Record | None:
    for record in nameless:
        same = (record["extension_key"], record["direction"]) == (leg.extension, leg.direction)
        if same and leg.ring is not None and abs((record["initiated_at"] or 0) - leg.ring) <= NEAR_MS:
            nameless.remove(record)
            return record
    return None


def _outcome(leg: Leg, record: Record, verdict: Verdict, left_out: Sequence[str]) -> None:
    if "outcome" in left_out:
        return
    verdict.outcomes_judged += 1
    if record["disposition"] != leg.disposition:
        verdict.wrong.append(Wrong("disposition", leg, record, f"{leg.disposition} told as {record['disposition']}"))


def _durations(leg: Leg, record: Record, verdict: Verdict, left_out: Sequence[str]) -> None:
    if set(left_out) & {"ring", "answer", "hold", "end", "lag"}:
        return
    verdict.durations_judged += 1
    details = []
    for name, true in leg.durations.items():
        told = record[name]
        if true is None or told is None:
            if told != true:
                details.append(f"{name} {true} told as {told}")
            continue
        allowed = bound(leg, facts_of(leg, name), record["time_uncertainty_ms"])
        if abs(told - true) > allowed:
            details.append(f"{name} {true} told as {told}, allowed {allowed}")
        if name in ("ring_ms", "talk_ms") and true:
            verdict.errors[(record["witnesses"] or ["UNKNOWN"])[0]].append(abs(told - true))
    if details:
        verdict.wrong.append(Wrong("duration", leg, record, "; ".join(details)))
