"""widget-streams: the events of the RingCentral Embeddable widget become call records, presence and metrics on Kafka.

    widget.events.v1 --sessions--> widget.enriched-events.v1 --extensions--> calls, records, presence, sessions

Which package does what: `contracts` reads envelopes and writes Avro, with the privacy policy between; `domain` decides
about page loads, legs and presence; `pipeline` makes stages of both, pure functions from records and state to records
and state; `engine` runs stages on Kafka with Faust, one transaction for outputs, state and offsets; `worker` puts
pipeline and engine together; `local` is an Apache Kafka without Docker; `simulate` a population of widgets; `demo`
shows all of it; `cli` is the command `widget-streams`. Imports point from the command toward the domain, never back.
"""
