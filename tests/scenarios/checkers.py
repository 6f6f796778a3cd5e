"""The checkers that came with the cases beside the checkout."""

import importlib.util
import sys
from functools import cache
from pathlib import Path
from typing import Any


@cache
def checker(cases: Path) -> Any:
    """Return the module `check.py` of a folder of cases."""
    name = f"{cases.name}_check"
    spec = importlib.util.spec_from_file_location(name, cases / "check.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # NB: before it runs, because its dataclasses look themselves up by the name of their module.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
