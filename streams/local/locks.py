"""Locks that end with their process, however it ends: the kernel gives them free."""

import fcntl
import os
from pathlib import Path


def hold(file: Path) -> int | None:
    """Hold the lock of this file, which is made if missing, until the descriptor is closed or the process ends.

    Returns:
        The descriptor; None when another process holds the lock.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
