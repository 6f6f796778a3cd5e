"""When an event happened: the skew of a browser's clock and the event time (CONTRACT 5, DECISIONS 1, 2, 5)."""

from dataclasses import dataclass, field

WINDOW = 50
LOW_PERCENTILE = 0.05
NETWORK_DELAY_MS = 100
"""A usual smallest network delay: it stays in every skew, for it cannot be measured."""
UNKNOWN_SEND_MS = 1_000
UNKNOWN_CAPTURE_MS = 5_000
MAX_LATENESS_MS = 24 * 3_600_000
DOUBTFUL_MS = 60_000


@dataclass(slots=True)
class Skew:
    """Samples of received minus sent, the latest WINDOW of one page load, in order of arrival."""

    samples: list[int] = field(default_factory=list)
    last_sent: int | None = None


def sample(skew: Skew, sent_at: int, received_at: int) -> None:
    """Take a sample; the envelopes of one request count once."""
    if sent_at == skew.last_sent:
        return
    skew.last_sent = sent_at
    skew.samples.append(received_at - sent_at)
    if len(skew.samples) > WINDOW:
        del skew.samples[0]


def estimate(skew: Skew) -> tuple[int, int]:
    """Return the skew and its uncertainty, in milliseconds.

    A low percentile, because network delay only ever adds to a sample; one absurdly small sample among many does not
    decide. The uncertainty is the usual delay plus the spread between the low percentile and the median.
    """
    ordered = sorted(skew.samples)
    low = ordered[int((len(ordered) - 1) * LOW_PERCENTILE)]
    return low, NETWORK_DELAY_MS + ordered[len(ordered) // 2] - low


def effective_received_at(received_at: int | None, kafka_timestamp: int) -> tuple[int, bool]:
    """Return the arrival that counts, and whether the gateway's was doubtful (CONTRACT 3).

    A gateway clock more than a minute off Kafka's must not move stream time. A negative Kafka timestamp means none.
    """
    if received_at is None:
        return max(kafka_timestamp, 0), False
    if kafka_timestamp >= 0 and abs(received_at - kafka_timestamp) > DOUBTFUL_MS:
        return kafka_timestamp, True
    return received_at, False


def too_late(received_at: int, event_time: int) -> bool:
    """Tell whether an event reached us more than 24 hours after it happened."""
    return received_at - event_time > MAX_LATENESS_MS
