"""Login and encryption for the one client that Faust opens by itself: its producer, which the engine does not use."""

import faust

from streams.security import Security


def faust_credentials(security: Security) -> faust.SASLCredentials | faust.SSLCredentials | None:
    """Return the same as Faust wants it; None for plain text."""
    if security.protocol.startswith("SASL_"):
        return faust.SASLCredentials(
            mechanism=security.mechanism,
            username=security.username,
            password=security.password,
            ssl_context=security.context,
        )
    return faust.SSLCredentials(security.context) if security.protocol == "SSL" else None
