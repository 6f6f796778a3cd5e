"""The HTTP intake for browsers: answers 202 when Kafka has the events (CONTRACT 9, 11).

`intake` judges envelopes (pure), `publisher` writes them, `reception` is what happens to one request, `connection` and
`service` are the server around it. `sites` and `tokens` say who may send, `limits` and `budget` how much.
"""
