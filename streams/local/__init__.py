"""Apache Kafka on this machine without Docker or an installed Kafka: for development, tests, the demo and benchmarks.

`jars` fetches what runs, `java` finds what runs it, `node` is one running broker, `embedded` is a whole cluster that
ends with its parent, `background` is the one that `widget-streams kafka start` leaves running.
"""
