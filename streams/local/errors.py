"""What can go wrong with a Kafka on this machine, as sentences that a command shows as they are."""


class LocalError(Exception):
    """The embedded Kafka cannot do what was asked; the text says why and what to do."""


class WrongRequestError(LocalError):
    """What was asked for cannot be: a port that is taken, a Java that is too old, a folder that is not ours."""


class NotReachableError(LocalError):
    """Something that is needed does not answer: the repository of the jars, or the broker itself."""
