"""Kills and freezes under load, with `verify` as the judge: `python -m tests.chaos` runs a whole storm."""
