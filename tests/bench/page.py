"""The page of the documentation that the figures are written to."""

from collections.abc import Mapping, Sequence

from tests.bench.figures import HEAD, Figure, rows

INTRODUCTION = """\
<!-- Written by `python -m tests.bench --write docs/benchmarks.md`; measure again instead of editing. -->
# Benchmarks

    make bench                                            # everything, about 25 minutes
    python -m tests.bench --quick                         # one short run of each
    python -m tests.bench --only throughput,latency       # some of it
    python -m tests.bench --write docs/benchmarks.md      # this page

Every figure is taken on an Apache Kafka that the bench starts itself and that shares the machine with what is
measured. Peers run one after the other in the same run, on the same records, so their ratios mean more than absolute
figures: these depend on the machine and on what else it did. The load average stands beside each figure.
"""

EXPLANATION = """\
- **Throughput**: a backlog of the envelopes of a simulated call centre, in the mix told below; one worker process with
  both stages; from the first commit to the commit after which nothing was left in either stage. The worker's own
  counters must show every envelope, or the measurement fails. 4,000 people log in and then make twelve calls an hour
  each; *in a hurry* are 2,000 of whom each makes a call every twenty seconds. A quick run has 800 of these.
- **The engine**: the same worker with stages that decide nothing, but write as many records and changes of state, as
  large and with as many headers, as the real stages make of these envelopes. What is left is delivery: the consumer,
  Faust, the transactions, the metrics.
- **Bare loop**: aiokafka alone, one process: consume, parse the JSON, write the event, all in transactions of 100 ms.
  It keeps no state, knows no user, writes no Avro and is not fenced by the group.
- **Faust agent**: what Faust's documentation shows: one agent, a table, `send`; at least once. It does a fraction of
  the work, and its counts are not exact after a crash.
- **Latency**: from the time that Kafka stamps on the envelope that ends a leg to when a `read_committed` consumer has
  the call record.
- **Browser to call record**: a page in Chromium whose stand-in widget, on another origin, posts two calls a second;
  collector, gateway, Kafka and worker on the same two cores; from when the end of a call was due to be posted to when a
  `read_committed` consumer has its record. In five tabs all hear and post every call, as with the real widget.
- **Gateway**: on one core, Kafka and the load on the others; 64 connections post batches of ten as fast as they are
  answered, which is when Kafka has them. Beside it bare aiohttp handlers that parse, write and answer: one through the
  gateway's own publisher, which batches over requests, one with a `send` of aiokafka for each event.
- **Recovery**: changelogs filled with the state of folded envelopes; from the takeover to the state in memory.
- **Memory**: what the system counts as resident, programs and libraries included, ten seconds after a backlog was
  folded in which 10,000 people log in, make calls and end a quarter of an hour; its peak while it was; and after a
  restart that recovered the same state. 238 MiB are 250 MB.
- **Processor time** of the stages is that of the pure folds in one process, of the worker all that the process used.
  *Web phones* is the traffic of the other figures; *all witnesses* is that of the accuracy runs, with messages.
- **Interval metrics** and **stage scopes**: three quarters of an hour of 300 extensions in 30 teams, two sites and one
  account; one partition, batches of 200, the least time of each batch over five runs.
"""


def page(figures: Sequence[Figure], machine: Mapping[str, str], day: str, told: Sequence[str]) -> str:
    """Return the page in Markdown.

    Args:
        figures: What was measured.
        machine: Facts about the machine.
        day: When.
        told: Lines that the measurements told on their way, the mix of the traffic among them.
    """
    lines = [HEAD, tuple("---" for _ in HEAD), *rows(figures)]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    about = "\n".join(f"- {name}: {value}" for name, value in {"Date": day, **machine}.items())
    log = "\n".join(f"    {line}" for line in told)
    return f"{INTRODUCTION}\n{about}\n\n{table}\n\n{EXPLANATION}\n## As it was told\n\n{log}\n"
