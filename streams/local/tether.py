"""Run a command that dies with the process that started it, however that ends. Linux; elsewhere the command just runs.

Started as a script, `python tether.py PARENT COMMAND...`, so that nothing of ours runs between fork and exec.
NB: the kernel watches the *thread* that started this script: it must live as long as the command (see node.py).
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    """Ask the kernel for SIGKILL at the parent's end, then become the command. Does not return."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # It ended before we could ask.
            os._exit(1)
    os.execv(command[0], command)  # noqa: S606 - there is no shell on purpose


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
