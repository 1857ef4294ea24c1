"""What README.md shows is run: its shell commands in order, its Python blocks, its scenario fragment."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from satqkd.scenario.load import parse_scenario, preset_text

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def shell_lines() -> list[str]:
    lines = [line.split("#")[0].strip() for block in blocks("sh") for line in block.splitlines()]
    return [line for line in lines if line.startswith(".venv/bin/satqkd")]


def test_commands_run_in_the_order_shown(tmp_path: Path) -> None:
    assert len(shell_lines()) == 8
    for line in shell_lines():
        command, _, target = line.partition(" > ")
        words = shlex.split(command)[1:]
        done = subprocess.run(
            [sys.executable, "-m", "satqkd.cli.main", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), line
        if target:
            (tmp_path / target.strip()).write_text(done.stdout, encoding="utf-8")
        else:
            assert done.stdout
    assert (tmp_path / "mine" / "report.html").exists()


@pytest.mark.parametrize("code", blocks("python"), ids=["run", "key"])
def test_python_runs(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(code, "README.md", "exec"), {})
    assert "bit" in capsys.readouterr().out


def test_fragment_is_a_station(tmp_path: Path) -> None:
    (fragment,) = blocks("toml")
    text = preset_text("micius-zenith").split("[[stations]]")
    rest = text[1][text[1].index("[access]") :]
    scenario = parse_scenario(text[0].replace("Delingha", "Lhasa") + fragment + rest)
    assert scenario.stations[0].name == "Lhasa"
