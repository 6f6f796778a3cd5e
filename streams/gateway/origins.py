"""What browsers are told about other origins: exactly those of the sites, never all (CORS)."""

from collections.abc import Mapping

from streams.gateway.sites import Site, Sites

MAX_AGE_SECONDS = 600
PREFLIGHT: Mapping[str, str] = {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Content-Type, Content-Encoding, traceparent",
    "Access-Control-Max-Age": str(MAX_AGE_SECONDS),
}
EXPOSED: Mapping[str, str] = {"Access-Control-Expose-Headers": "Retry-After"}
VARY: Mapping[str, str] = {"Vary": "Origin"}


def told(origin: str | None, sites: Sites) -> Mapping[str, str]:
    """Return the headers for a page of this origin; it may read the answer only when a site names its origin."""
    if origin is None or origin not in sites.origins:
        return VARY
    return {**VARY, **EXPOSED, "Access-Control-Allow-Origin": origin}


def may_send(origin: str | None, site: Site) -> bool:
    """Tell whether a page of this origin may send with the site's key; without an Origin it is no browser's page."""
    return origin is None or origin in site.origins
