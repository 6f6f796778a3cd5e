"""A record that is written already."""


class Encoded(bytes):
    """A record as Avro binary: where it is to be written, it goes as it is."""
