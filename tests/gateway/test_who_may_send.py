"""Sites, origins, identity tokens, and the files that are read again when they change."""

import base64
import json
import stat
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from streams.gateway import origins
from streams.gateway.answers import Code
from streams.gateway.identity import Identity
from streams.gateway.minting import mint, new_key_pair
from streams.gateway.sites import Sites, read_sites, site_entry
from streams.gateway.tokens import AUDIENCE, LEEWAY_SECONDS, Verifier, read_keys
from streams.gateway.watched import FileError, Watched
from tests.builders import LOGIN

NOW = 1_772_442_000.0
CRM = "https://crm.example.com"


def a_site(**changes: Any) -> str:
    lines = {"name": '"crm"', "write_key": '"wk_12345678"', "origins": f'["{CRM}"]', **changes}
    return "[[site]]\n" + "".join(f"{name} = {value}\n" for name, value in lines.items() if value is not None)


def test_a_site_has_its_key_and_origins() -> None:
    """Found by write key; CORS knows the origins of all sites."""
    other = a_site(name='"shop"', write_key='"wk_87654321"', origins='["http://localhost:3000", "https://[::1]:8443"]')
    sites = read_sites(a_site() + other)
    assert sites.by_key["wk_12345678"].origins == [CRM]
    assert sites.origins == {CRM, "http://localhost:3000", "https://[::1]:8443"}


@pytest.mark.parametrize(
    "changes",
    [
        {"origins": "[]"},
        {"origins": '["*"]'},
        {"origins": '["https://*.example.com"]'},
        {"origins": '["https://crm.example.com/"]'},
        {"origins": '["https://CRM.example.com"]'},
        {"origins": '["crm.example.com"]'},
        {"origins": '["null"]'},
        {"origins": '["https://user@crm.example.com"]'},
        {"origins": '["https://crm.example.com:x"]'},
        {"write_key": '"short"'},
        {"write_key": None},
        {"name": '"a b"'},
        {"surprise": "1"},
        {"events_per_second": "0"},
    ],
)
def test_a_wrong_site_is_named_without_its_key(changes: dict[str, Any]) -> None:
    """The sentence says which field; no value of a key stands in it."""
    with pytest.raises(ValueError, match="site") as caught:
        read_sites(a_site(**changes))
    assert "wk_12345678" not in str(caught.value)


def test_two_sites_are_two() -> None:
    """The same key twice would let one site send as the other; a file that is no TOML or empty is none either."""
    with pytest.raises(ValueError, match="same write_key or name"):
        read_sites(a_site() + a_site(name='"shop"'))
    for text in ("[[site", ""):
        with pytest.raises(ValueError, match=r"TOML|site"):
            read_sites(text)


def test_a_new_entry_can_be_read() -> None:
    """`token site` writes what the gateway reads, with a new key each time."""
    entries = [site_entry(name, [CRM]) for name in ("a", "b")]
    sites = read_sites("".join(entries))
    assert len(sites.by_key) == 2
    with pytest.raises(ValueError, match="origin"):
        site_entry("a", ["*"])


def test_only_the_origins_of_sites_may_read_answers() -> None:
    """Never a wildcard; an origin that no site names gets no header at all."""
    sites = read_sites(a_site())
    assert origins.told(CRM, sites)["Access-Control-Allow-Origin"] == CRM
    for other in (None, "null", "https://evil.example.com", CRM + ".evil.example.com", "*"):
        assert "Access-Control-Allow-Origin" not in origins.told(other, sites)
        assert origins.told(other, sites)["Vary"] == "Origin"
    site = sites.by_key["wk_12345678"]
    assert [origins.may_send(origin, site) for origin in (CRM, None, "null", "https://a.example")] == [
        True,
        True,
        False,
        False,
    ]


# Tokens ---------------------------------------------------------------------------------------------------------------


class Host:
    """A host's server with its key files."""

    def __init__(self, folder: Path, kid: str = "k1"):
        self.private, self.public, self.kid = folder / f"{kid}.pem", folder / "keys.json", kid
        new_key_pair(kid, self.private, self.public)

    def token(self, *, seconds: float = 900, now: float = NOW) -> str:
        """Mint a token as the command does."""
        return mint(self.private.read_bytes(), self.kid, Identity(LOGIN, "400", "101"), now=now, seconds=seconds)

    def sign(self, headers: dict[str, Any] | None = None, **changes: Any) -> str:
        """Sign any claims."""
        claims = {"aud": AUDIENCE, "iat": NOW, "exp": NOW + 900, "login_number": LOGIN, **changes}
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, self.private.read_text(), "EdDSA", headers={"kid": self.kid, **(headers or {})})


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def verifier(host: Host, max_seconds: float = 3_600) -> Verifier:
    return Verifier(Watched(host.public, read_keys), max_seconds)


def test_a_minted_token_names_its_user(host: Host) -> None:
    """Also the second time, when it is remembered."""
    checks = verifier(host)
    token = host.token()
    for _ in range(2):
        assert checks.verify(token, NOW + 5) == Identity(LOGIN, "400", "101")


def test_an_expired_token_is_told_apart(host: Host) -> None:
    """Whether it was seen before or not; clocks may differ a little."""
    checks, token = verifier(host), host.token()
    assert isinstance(checks.verify(token, NOW + 900 + LEEWAY_SECONDS - 1), Identity)
    assert checks.verify(token, NOW + 900 + LEEWAY_SECONDS + 1) is Code.TOKEN_EXPIRED
    assert verifier(host).verify(token, NOW + 5_000) is Code.TOKEN_EXPIRED


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "someone-else"},
        {"aud": None},
        {"exp": None},
        {"iat": None},
        {"iat": NOW + LEEWAY_SECONDS + 5},
        {"exp": NOW - 1, "iat": NOW},
        {"exp": NOW + 3_601},
        {"exp": "tomorrow"},
        {"exp": True},
        {"exp": 1e300},
        {"login_number": None},
        {"login_number": "*101"},
        {"login_number": ["+16505550100*101"]},
        {"account_id": 5},
        {"extension_id": "1'; --"},
    ],
)
def test_claims_that_do_not_hold(host: Host, changes: dict[str, Any]) -> None:
    """A valid signature is not enough."""
    assert verifier(host).verify(host.sign(**changes), NOW) is Code.TOKEN_INVALID


def test_the_same_claims_unchanged_hold(host: Host) -> None:
    """What the test above changes is what it is refused for."""
    assert verifier(host).verify(host.sign(), NOW) == Identity(LOGIN)


def test_forged_tokens_are_refused(host: Host) -> None:
    """Another key, no signature, a symmetric signature with the public key, an unknown kid, a changed body."""
    checks, good = verifier(host), host.token()
    head, body, signature = good.split(".")
    stranger = Ed25519PrivateKey.generate()
    claims = jwt.decode(good, options={"verify_signature": False})
    public = json.loads(host.public.read_text())["keys"][0]["x"]
    other_body = (
        base64.urlsafe_b64encode(json.dumps({**claims, "login_number": "+1650*1"}).encode()).decode().strip("=")
    )
    forged = [
        jwt.encode(claims, stranger, "EdDSA", headers={"kid": "k1"}),
        jwt.encode(claims, "", "none", headers={"kid": "k1"}),
        jwt.encode(claims, public, "HS256", headers={"kid": "k1"}),
        host.sign(headers={"kid": "k2"}),
        f"{head}.{other_body}.{signature}",
        f"{head}.{body}.",
        good + "x",
        "x" * 5_000,
    ]
    assert [checks.verify(token, NOW) for token in forged] == [Code.TOKEN_INVALID] * len(forged)


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode() + ".x.y"))
def test_any_text_is_no_token(text: str) -> None:
    """Never an exception."""
    assert Verifier(_Keys(), 900).verify(text, NOW) is Code.TOKEN_INVALID
    assert Verifier(None, 900).verify(text, NOW) is Code.TOKEN_INVALID


class _Keys:
    def __init__(self) -> None:
        self.value = {"k1": Ed25519PrivateKey.generate().public_key()}
        self.generation = 0


def test_keys_rotate_without_a_restart(host: Host, tmp_path: Path) -> None:
    """A new key counts once the file is read again; one that was taken out does not, even for tokens seen before."""
    file = Watched(host.public, read_keys)
    checks, old_token = Verifier(file, 3_600), host.token()
    new = Host(tmp_path, "k2")
    assert checks.verify(new.token(), NOW) is Code.TOKEN_INVALID
    assert isinstance(checks.verify(old_token, NOW), Identity)
    assert file.refresh()
    assert isinstance(checks.verify(new.token(), NOW), Identity)
    assert isinstance(checks.verify(old_token, NOW), Identity)
    rows = json.loads(host.public.read_text())["keys"]
    host.public.write_text(json.dumps({"keys": [row for row in rows if row["kid"] == "k2"]}))
    assert file.refresh()
    assert checks.verify(old_token, NOW) is Code.TOKEN_INVALID
    assert isinstance(checks.verify(new.token(), NOW), Identity)


def test_a_broken_change_is_not_taken_over(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    """What was read before stays in force, the log says so once, and a mended file counts again."""
    file, good = Watched(host.public, read_keys), host.public.read_text()
    checks = Verifier(file, 3_600)
    host.public.write_text('{"keys": [secret-garbage')
    assert not file.refresh()
    assert not file.refresh()
    assert isinstance(checks.verify(host.token(), NOW), Identity)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "secret-garbage" not in caplog.text
    host.public.write_text(good + "\n")
    assert file.refresh()
    host.public.unlink()
    assert not file.refresh()
    assert isinstance(checks.verify(host.token(), NOW), Identity)


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"keys": []}', '{"keys": [{}]}', '{"keys": [5]}', '{"keys": [{"kty": "RSA", "crv": "x", "kid": "k"}]}'],
)
def test_a_wrong_key_set_stops_the_start(text: str, tmp_path: Path) -> None:
    """The file is named."""
    path = tmp_path / "keys.json"
    path.write_text(text)
    with pytest.raises(FileError, match=r"keys\.json"):
        Watched(path, read_keys)


def test_a_private_key_is_not_for_the_gateway(host: Host) -> None:
    """A key set with private halves is refused; the private file is for its owner alone and never overwritten."""
    private = jwt.algorithms.OKPAlgorithm.to_jwk(Ed25519PrivateKey.generate(), as_dict=True)
    with pytest.raises(ValueError, match="private"):
        read_keys(json.dumps({"keys": [{**private, "kid": "k"}]}))
    assert stat.S_IMODE(host.private.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        new_key_pair("k9", host.private, host.public)
    with pytest.raises(ValueError, match="k1 already"):
        new_key_pair("k1", host.private.with_name("other.pem"), host.public)
    assert list(read_keys(host.public.read_text())) == ["k1"]


def test_two_keys_of_one_name_are_refused(host: Host) -> None:
    """It would be chance which one counts."""
    (row,) = json.loads(host.public.read_text())["keys"]
    with pytest.raises(ValueError, match="same kid"):
        read_keys(json.dumps({"keys": [row, row]}))


def test_sites_are_values() -> None:
    """Nothing of an empty set of sites is found."""
    assert Sites.of([]).by_key == {}
