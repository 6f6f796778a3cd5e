"""`widget-streams token`: sites, keys and identity tokens for the gateway."""

import time
from pathlib import Path

import click

from streams.cli.errors import WrongUse
from streams.domain.identity import extension_key
from streams.gateway.identity import Identity
from streams.gateway.minting import mint, new_key_pair
from streams.gateway.sites import site_entry

_FILE = click.Path(dir_okay=False, path_type=Path)
_DIGITS = "Digits, as RingCentral writes it."

HELP = {"help_option_names": ["-h", "--help"]}
SITE = "widget-streams token site crm --origin https://crm.example.com >> sites.toml"
KEYGEN = "widget-streams token keygen 2026-03 --private crm.pem --public keys.json"
MINT = "widget-streams token mint 2026-03 --private crm.pem --login-number '+16505550100*101'"
EPILOG = f"""\b
Examples:
  {SITE}
  {KEYGEN}
  {MINT}
"""


def _example(line: str) -> str:
    return f"\b\nExample:\n  {line}"


@click.group(context_settings=HELP, epilog=EPILOG)
def command() -> None:
    """Make what decides who may send: sites with write keys, key pairs, identity tokens."""


@command.command("site", context_settings=HELP, epilog=_example(SITE))
@click.argument("name")
@click.option("--origin", "origins", multiple=True, required=True, help="Origin of its pages; may be given again.")
def site(name: str, origins: tuple[str, ...]) -> None:
    """Print the entry of a new site NAME for the gateway's file of sites, with a new write key."""
    try:
        click.echo(site_entry(name, origins))
    except ValueError as error:
        raise WrongUse(f"{error}.") from error


@command.command("keygen", context_settings=HELP, epilog=_example(KEYGEN))
@click.argument("kid")
@click.option("--private", type=_FILE, required=True, help="File for the private key: stays with the host's server.")
@click.option("--public", type=_FILE, required=True, help="The gateway's key set; the new key is added to it.")
def keygen(kid: str, private: Path, public: Path) -> None:
    """Make an Ed25519 key pair named KID.

    To rotate: add a key, wait until all gateways have read it (a second), sign with it, take the old one out once its
    last token has expired.
    """
    try:
        new_key_pair(kid, private, public)
    except (ValueError, OSError) as error:
        raise WrongUse(f"No key was made: {error}") from error
    click.echo(f"{private} signs, {public} has the public key {kid}.", err=True)


@command.command("mint", context_settings=HELP, epilog=_example(MINT))
@click.argument("kid")
@click.option("--private", type=_FILE, required=True, help="File of the private key.")
@click.option("--login-number", required=True, help="The user, as the widget tells it: +16505550100*101.")
@click.option("--account-id", help=_DIGITS)
@click.option("--extension-id", help=_DIGITS)
@click.option("--seconds", type=click.IntRange(1, 86_400), default=900, show_default=True, help="How long it lives.")
def mint_token(
    kid: str, private: Path, login_number: str, account_id: str | None, extension_id: str | None, seconds: int
) -> None:
    """Print an identity token signed with the key named KID."""
    key = extension_key(login_number)
    if key is None:
        raise WrongUse("--login-number has to be a main number and an extension: +16505550100*101.")
    try:
        pem = private.read_bytes()
        token = mint(pem, kid, Identity(key, account_id, extension_id), now=time.time(), seconds=seconds)
    except OSError as error:
        raise WrongUse(f"{private} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise WrongUse(f"{private} cannot be used: it holds no Ed25519 private key in PEM.") from error
    click.echo(token)
