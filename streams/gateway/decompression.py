"""Decompress a body without ever holding more than is allowed: pure."""

import zlib

from streams.gateway.answers import Code

_GZIP = 16 + zlib.MAX_WBITS


def gunzip(body: bytes | bytearray, limit: int) -> bytes | Code:
    """Return the decompressed body of at most `limit` bytes, or what is wrong with it."""
    inflater = zlib.decompressobj(_GZIP)
    try:
        inflated = inflater.decompress(body, limit + 1)
    except zlib.error:
        return Code.BAD_ENCODING
    if len(inflated) > limit:
        return Code.BODY_TOO_LARGE
    # A second member behind the first, or an end that never came: neither is what a browser's stream makes.
    return inflated if inflater.eof and not inflater.unused_data else Code.BAD_ENCODING
