"""What can be proven of an installation whose topics have lost their beginning to the retention (CONTRACT 2, 9).

A stage is folded again from empty state. Where its input no longer begins at offset 0 the state before is not known,
and whatever came out would be no proof: the stage is not compared there, and said so.
"""

from streams.pipeline.plan import Plan

NEEDED = "its state before is not known"


class Retained:
    """Where the partitions begin that were read, and which stages can be proven from them."""

    def __init__(self, plan: Plan):
        """Begin with nothing lost."""
        self._plan = plan
        self._enriched, self._deltas = plan.names["EnrichedEvent"], plan.names["ScopeDelta"]
        self._beginnings: dict[tuple[str, int], int] = {}
        self._passed_over: list[str] = []

    def begins(self, topic: str, partition: int, offset: int) -> None:
        """Take down the first offset that a partition still held after it had been read."""
        if offset > 0:
            self._beginnings[topic, partition] = offset

    def is_cut(self, topic: str, partition: int) -> bool:
        """Tell whether the beginning of a partition is gone."""
        return (topic, partition) in self._beginnings

    def passed_over(self, topic: str, partition: int, records: int) -> None:
        """Take down that so many records had to be written before those that an output still holds."""
        if records:
            begin = self._beginnings[topic, partition]
            self._passed_over.append(
                f"{topic} partition {partition} begins at offset {begin}: {records} records before"
            )

    def sessions(self, partition: int) -> bool:
        """Tell whether the sessions stage can be proven for a source partition.

        It takes the marks and the directory's fields from the enriched events, so it needs all of those too.
        """
        enriched = any(self.is_cut(self._enriched, one) for one in range(self._plan.partitions))
        return not enriched and not self.is_cut(self._plan.events, partition)

    def extensions(self, partition: int) -> bool:
        """Tell whether the extensions stage can be proven for a partition of the enriched events."""
        return not self.is_cut(self._enriched, partition)

    def scopes(self) -> bool:
        """Tell whether the scopes stage, and the deltas that it reads, can be proven."""
        return not any(self.is_cut(self._deltas, one) for one in range(self._plan.partitions))

    def is_nothing_proven(self) -> bool:
        """Tell whether no stage could be compared anywhere."""
        return not any(self._compared().values())

    def sentences(self) -> list[str]:
        """Say what could not be compared and why, a sentence each, and last what was."""
        stages = {self._plan.events: "sessions", self._enriched: "sessions and extensions", self._deltas: "scopes"}
        refused = [
            f"NOT compared: {stages[topic]}: {topic} partition {partition} begins at offset {offset}, {NEEDED}."
            for (topic, partition), offset in sorted(self._beginnings.items())
            if topic in stages
        ]
        counts, of = self._compared(), self._plan.partitions
        compared = [
            stage if count == of else f"{stage} ({count} of {of} partitions)" for stage, count in counts.items()
        ]
        done = [text for text, count in zip(compared, counts.values(), strict=True) if count]
        told = f"Compared: {', '.join(done)}." if done else "No stage could be compared."
        return [*refused, *(f"NOT compared: {text}." for text in self._passed_over), told]

    def _compared(self) -> dict[str, int]:
        partitions = range(self._plan.partitions)
        return {
            "sessions": sum(self.sessions(one) for one in partitions),
            "extensions": sum(self.extensions(one) for one in partitions),
            "scopes": len(partitions) if self.scopes() else 0,
        }
