"""Every example of the gallery runs, checks what it shows, and stays of one shape: text, set-up, action, check."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

GALLERY = Path(__file__).resolve().parent.parent / "docs" / "gallery"
SCRIPTS = sorted(GALLERY.glob("*.py"))


def test_there_are_examples():
    assert len(SCRIPTS) >= 3


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_example_runs_and_its_checks_hold(script, tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert list(tmp_path.iterdir()) == []  # an example writes no files


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_example_has_a_title_three_parts_and_a_check(script):
    text = script.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree).partition("\n")[0].endswith(".")
    positions = [text.index(part) for part in ("# Set-up", "# Action", "# Check")]
    assert positions == sorted(positions)
    assert any(isinstance(node, ast.Assert) for node in tree.body)
