"""The host's side of identity tokens: make a key pair, publish its public half, sign tokens.

Reference for servers in other languages, and good enough for small ones: `widget-streams token`.
"""

import json
import os
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from streams.gateway.identity import Identity
from streams.gateway.tokens import ALGORITHM, AUDIENCE, read_keys


def new_key_pair(kid: str, private_file: Path, public_file: Path) -> None:
    """Write a new private key, and add its public half to a key set; the set is made when it is not there.

    Raises:
        ValueError: The private file exists, or the set is wrong or has this kid.
        OSError: A file cannot be written.
    """
    rows = _rows(public_file)
    if any(row["kid"] == kid for row in rows):
        raise ValueError(f"{public_file} has a key {kid} already.")
    key = Ed25519PrivateKey.generate()
    row = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key()))
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    # For the owner alone, and never over another key.
    descriptor = os.open(private_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    _replace(public_file, {"keys": [*rows, {**row, "kid": kid, "use": "sig", "alg": ALGORITHM}]})


def mint(private_pem: bytes, kid: str, identity: Identity, *, now: float, seconds: float) -> str:
    """Return a token that vouches for a user from now on, for so many seconds.

    Raises:
        ValueError: The PEM holds no Ed25519 private key.
    """
    key = load_pem_private_key(private_pem, None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("the file holds no Ed25519 private key.")
    ids = {"account_id": identity.account_id, "extension_id": identity.extension_id}
    claims = {
        "aud": AUDIENCE,
        "iat": int(now),
        "exp": int(now + seconds),
        "login_number": identity.login_number,
        **{name: value for name, value in ids.items() if value is not None},
    }
    return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": kid})


def _rows(public_file: Path) -> list[dict[str, Any]]:
    if not public_file.exists():
        return []
    text = public_file.read_text(encoding="utf-8")
    read_keys(text)
    rows: list[dict[str, Any]] = json.loads(text)["keys"]
    return rows


def _replace(path: Path, content: dict[str, Any]) -> None:
    """Write a file whole or not at all: a gateway may read it at any moment."""
    beside = path.with_name(path.name + ".new")
    beside.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    beside.replace(path)
