"""What the figures were measured on."""

import os
import platform
from importlib.metadata import version
from pathlib import Path


def facts() -> dict[str, str]:
    """Return what a reader has to know of the machine and of the versions."""
    return {
        "Processor": f"{_processor()}, {os.cpu_count()} cores",
        "Memory": f"{_memory_gib():.0f} GiB",
        "System": f"{platform.system()} {platform.release().split('-')[0]}, Python {platform.python_version()}",
        "Priority": "as everybody's" if not os.nice(0) else f"nice {os.nice(0)}",
        "Kafka": "4.3.1, one broker on the same machine, 1 GiB heap, full compiler",
        "Libraries": ", ".join(f"{name} {version(name)}" for name in ("faust-streaming", "aiokafka", "fastavro")),
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
