"""What crosses a border: envelopes and widget events in, Avro records out, and the privacy policy between."""
