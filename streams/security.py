"""Login and encryption of a connection to Kafka: what every client of ours is given, standard library only."""

import ssl
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


@dataclass(frozen=True)
class Security:
    """How to speak to the brokers; the defaults are plain text without a login."""

    protocol: Protocol = "PLAINTEXT"
    mechanism: Mechanism = "PLAIN"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    context: ssl.SSLContext | None = None

    def arguments(self) -> dict[str, Any]:
        """Return them as arguments of aiokafka's clients."""
        return {
            "security_protocol": self.protocol,
            "ssl_context": self.context,
            "sasl_mechanism": self.mechanism,
            "sasl_plain_username": self.username,
            "sasl_plain_password": self.password,
        }


PLAIN_TEXT: Final = Security()
"""No login and no encryption: Kafka on this machine."""
