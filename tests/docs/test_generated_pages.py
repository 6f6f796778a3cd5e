"""The pages that repeat code say what the code says."""

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_generated_page_is_stale(generate: ModuleType) -> None:
    """`python docs/generate.py` would change nothing."""
    assert list(generate.stale()) == []


def test_a_stale_page_is_found(generate: ModuleType, tmp_path: Path) -> None:
    """A page that was edited by hand, or is missing, is named."""
    for name in generate.PAGES:
        shutil.copy(DOCS / f"{name}.md", tmp_path)
    (tmp_path / "metrics.md").write_text("edited\n", encoding="utf-8")
    (tmp_path / "topics.md").unlink()
    assert [path.name for path in generate.stale(tmp_path)] == ["topics.md", "metrics.md"]
