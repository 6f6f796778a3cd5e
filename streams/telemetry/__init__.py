"""What operators see: the metrics catalogue and structured logs. Labels come from closed sets, never from people."""
