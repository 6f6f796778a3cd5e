"""The demo: Kafka, topics, workers, a gateway and a simulated call centre on this machine, and a screen to watch it."""
