"""The compiled functions that write and read Avro: none in plain Python, where they are made at run time.

The native build puts another module in the place of this one (deploy/native/avro.py).
"""

from collections.abc import Callable
from typing import Any

Writer = Callable[[bytes, Any], bytes]
"""Takes what the bytes begin with and a value, and returns the bytes."""
Reader = Callable[[bytes, int], tuple[Any, int]]
"""Takes bytes and where a value begins in them, and returns it and where it ends."""

WRITERS: dict[str, Writer] = {}
"""By the fingerprint of what they were made of (`shapes.fingerprint`)."""
READERS: dict[str, Reader] = {}
"""The same for those that read."""
