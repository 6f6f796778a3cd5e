"""The partition of a key, as Kafka's Java clients choose it: murmur2, the sign bit cleared."""

from functools import lru_cache

_MASK = 0xFFFFFFFF
_SEED = 0x9747B28C
_M = 0x5BD1E995


def murmur2(key: bytes) -> int:
    """Return the 32-bit MurmurHash2 of the key with Kafka's seed, unsigned."""
    length = len(key)
    h = (_SEED ^ length) & _MASK
    whole = length & ~3
    for start in range(0, whole, 4):
        k = int.from_bytes(key[start : start + 4], "little") * _M & _MASK
        k = (k ^ (k >> 24)) * _M & _MASK
        h = (h * _M & _MASK) ^ k
    if whole < length:
        h = (h ^ int.from_bytes(key[whole:], "little")) * _M & _MASK
    h = (h ^ (h >> 13)) * _M & _MASK
    return h ^ (h >> 15)


@lru_cache(maxsize=100_000)
def partition_of(key: str, partitions: int) -> int:
    """Return the partition of a UTF-8 key."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions
