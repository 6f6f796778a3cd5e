"""The demo: Kafka, topics, two workers and a simulated call centre on this machine, and one screen to watch it."""
