"""Certificates of a test's own authority, in the forms that Kafka and our clients read."""

from pathlib import Path
from typing import NamedTuple

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)


class Files(NamedTuple):
    """Paths of PEM files. `broker` holds key and certificates together, as Kafka's PEM stores do."""

    ca: Path
    broker: Path
    client_cert: Path
    client_key: Path


def write_certificates(folder: Path) -> Files:
    """Write an authority, a broker's certificate for 127.0.0.1 and a client's."""
    authority = trustme.CA()
    broker, client = authority.issue_cert("127.0.0.1", "localhost"), authority.issue_cert("worker@example.com")
    files = Files(folder / "ca.pem", folder / "broker.pem", folder / "client.pem", folder / "client.key")
    authority.cert_pem.write_to_path(files.ca)
    files.broker.write_bytes(_pkcs8(broker.private_key_pem) + _chain(broker))
    files.client_cert.write_bytes(_chain(client))
    files.client_key.write_bytes(_pkcs8(client.private_key_pem))
    return files


def _chain(issued: trustme.LeafCert) -> bytes:
    return b"".join(part.bytes() for part in issued.cert_chain_pems)


def _pkcs8(key: trustme.Blob) -> bytes:
    """Return the key as PKCS 8: Kafka reads no other form."""
    loaded = load_pem_private_key(key.bytes(), None)
    return loaded.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
