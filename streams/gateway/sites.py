"""The sites that may send: each has a write key and the origins of its pages (CONTRACT 9).

A write key stands in the page, so it is no secret: it tells sites apart and lets one be shut off. The origins are what
browsers are held to; who vouches for a user is the identity token.
"""

import re
import secrets
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

_HOST = re.compile(r"[a-z0-9.-]+|\[[0-9a-f:.]+\]")


def _origin(text: str) -> str:
    try:
        parts = urlsplit(text)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        parts, port = urlsplit(""), ""
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname
    if (
        parts.scheme not in ("http", "https")
        or not _HOST.fullmatch(host or "")
        or text != f"{parts.scheme}://{host}{port}"
    ):
        raise ValueError("an origin is scheme://host or scheme://host:port in lower case, without a path or *")
    return text


class Site(BaseModel):
    """One site."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]{1,64}$")]
    write_key: Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]{8,128}$")]
    origins: Annotated[list[Annotated[str, AfterValidator(_origin)]], Field(min_length=1)]
    token_required: bool = False
    """Nothing is taken without a valid identity token."""
    events_per_second: Annotated[float, Field(gt=0, le=1_000_000)] = 5_000.0


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    site: Annotated[list[Site], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Sites:
    """All sites, by write key, and the origins of all of them."""

    by_key: Mapping[str, Site]
    origins: frozenset[str]

    @classmethod
    def of(cls, sites: Iterable[Site]) -> "Sites":
        """Collect sites.

        Raises:
            ValueError: Two have the same key or name.
        """
        given = list(sites)
        if len({site.write_key for site in given}) < len(given) or len({site.name for site in given}) < len(given):
            raise ValueError("two sites have the same write_key or name.")
        origins = frozenset(origin for site in given for origin in site.origins)
        return cls({site.write_key: site for site in given}, origins)


def read_sites(text: str) -> Sites:
    """Read the TOML of a sites file.

    Raises:
        ValueError: It is wrong; the text says where, and repeats no key.
    """
    try:
        return Sites.of(_File.model_validate(tomllib.loads(text)).site)
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False)[0]
        raise ValueError(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}.") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"no TOML: {error}.") from error


def site_entry(name: str, origins: Iterable[str]) -> str:
    """Return the lines of a new site, with a new write key.

    Raises:
        ValueError: The name or an origin is wrong.
    """
    key = f"wk_{secrets.token_urlsafe(24)}"
    try:
        site = Site(name=name, write_key=key, origins=list(origins))
    except ValidationError as error:
        raise ValueError(error.errors(include_input=False, include_url=False)[0]["msg"]) from None
    listed = ", ".join(f'"{origin}"' for origin in site.origins)
    return f'[[site]]\nname = "{name}"\nwrite_key = "{key}"\norigins = [{listed}]\ntoken_required = false\n'
