"""Live state over HTTP and the wallboard, from the compacted topics (CONTRACT 9): any number of copies, nothing shared.

`feed` reads Kafka into `view`, which is pure; `pages` answers questions from it, `streaming` tells its changes.
"""
