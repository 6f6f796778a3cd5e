"""Speed, latency, recovery and memory on a real Kafka, beside peers in the same run: `python -m tests.bench`."""
