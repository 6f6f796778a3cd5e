"""A Faust app with one table, which it recovers from its changelog record by record before it begins."""

import sys
from typing import Any

import faust

BROKERS, GROUP, SOURCE, TABLE, FOLDER = sys.argv[1:6]
PARTITIONS = 12

app = faust.App(
    GROUP,
    broker=f"kafka://{BROKERS}",
    datadir=FOLDER,
    store="memory://",
    autodiscover=False,
    web_enabled=False,
    topic_partitions=PARTITIONS,
)
rows = app.Table(TABLE, partitions=PARTITIONS, key_type=bytes, value_type=bytes)


@app.agent(app.topic(SOURCE, key_serializer="raw", value_serializer="raw"))  # type: ignore[untyped-decorator]  # no stubs
async def agent(values: Any) -> None:
    """Use the table, so that it belongs to these partitions; nothing ever comes."""
    async for key, value in values.items():
        rows[key] = value


if __name__ == "__main__":
    sys.argv[1:] = ["worker", "--without-web", "-l", "info"]
    app.main()
