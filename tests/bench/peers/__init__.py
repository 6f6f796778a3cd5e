"""What the worker is compared with: programs that a user of Kafka or Faust might write instead."""
