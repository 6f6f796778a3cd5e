"""`python -m tests.chaos`: a storm of the full size, with its report; exit code 1 when anything was lost or wrong."""

import argparse
import sys
import tempfile
from pathlib import Path

from streams.local.embedded import EmbeddedKafka
from tests.chaos.storm import Storm, Weather


def main() -> int:
    """Run a storm as the options say."""
    options = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    for name, default in (("kills", 20), ("freezes", 10), ("rate", 2000), ("seed", 1), ("partitions", 12)):
        options.add_argument(f"--{name}", type=int, default=default)
    options.add_argument("--broker-kills", type=int, default=0, help="with any, three brokers run")
    options.add_argument("--logs", type=Path, default=None, help="folder that keeps the logs of all processes")
    given = vars(options.parse_args())
    logs = given.pop("logs") or Path(tempfile.mkdtemp(prefix="widget-streams-storm-"))
    logs.mkdir(parents=True, exist_ok=True)
    with EmbeddedKafka(nodes=3 if given["broker_kills"] else 1) as kafka:
        report = Storm(kafka.bootstrap, "storm.", Weather(**given), logs, kafka).run()
    print(f"{report}\nlogs: {logs}")  # noqa: T201 - a command
    return 0 if report.drained and report.verify_exit == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
