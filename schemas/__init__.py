"""The Avro schemas, the topic catalogue and the examples: what consumers of the topics build on."""
