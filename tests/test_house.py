"""What holds of the repository as a whole: nothing of one machine in it, versions agree, commands exist."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import satqkd

ROOT = Path(__file__).resolve().parent.parent
# Put together here so that this file does not contain what it looks for.
MACHINE_PATHS = re.compile(r"(?<![\w.\-])/(?:" + "|".join(["work", "root", "opt", "home"]) + r")(?:/|\b(?!\.))")
REGISTRY_HOSTS = re.compile(r"py" + r"pi\.org|python" + r"hosted\.org|registry\.npm" + "js")
LOCK_FILES = ["requirements/run.txt", "requirements/dev.txt"]


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True, timeout=30,
    )  # fmt: skip
    paths = (ROOT / name for name in listed.stdout.decode().split("\0") if name)
    return [path for path in paths if path.is_file()]


def texts() -> list[tuple[str, str]]:
    found = []
    for path in tracked():
        content = path.read_bytes()
        if b"\0" not in content:
            found.append((path.relative_to(ROOT).as_posix(), content.decode("utf-8")))
    return found


def mentions(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


@pytest.mark.parametrize(
    ("pattern", "caught", "passed"),
    [
        (
            MACHINE_PATHS,
            ["see /wo" + "rk/main", "in /ro" + "ot", '"/o' + 'pt/x"'],
            ["satqkd/optimise", "a/work", "/worked"],
        ),
        (REGISTRY_HOSTS, ["https://py" + "pi.org/simple", "files.python" + "hosted.org"], ["pip install"]),
    ],
    ids=["machine", "registry"],
)
def test_the_patterns_find_what_they_should(pattern, caught, passed):
    assert [text for text in caught if not pattern.search(text)] == []
    assert [text for text in passed if pattern.search(text)] == []


def test_no_file_names_a_place_on_some_machine():
    assert mentions(MACHINE_PATHS) == []


def test_no_file_names_a_package_registry():
    assert mentions(REGISTRY_HOSTS) == []


def test_text_files_end_in_a_newline_and_have_no_carriage_returns():
    wrong = [name for name, text in texts() if text and (not text.endswith("\n") or "\r" in text)]
    assert [name for name in wrong if not name.startswith(("tests/golden/", "src/satqkd/scenario/presets/"))] == []


def pins(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", text, re.MULTILINE))


@pytest.mark.parametrize("name", LOCK_FILES)
def test_lock_file_is_pins_with_hashes_and_nothing_else(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    for line in text.splitlines():
        assert re.fullmatch(
            r"[a-z0-9][a-z0-9._-]*==\S+ \\|    --hash=sha256:[0-9a-f]{64}(?: \\)?|    #.*|# .*|", line
        ), line
    assert not re.search(r"://|@", text)
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(blocks) == len(pins(name))
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_development_environment_contains_the_run_environment():
    run, dev = (pins(name) for name in LOCK_FILES)
    assert {name: version for name, version in run.items() if dev.get(name) != version} == {}


def test_lock_files_cover_what_the_project_asks_for():
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]

    def names(requirements: list[str]) -> set[str]:
        return {re.match(r"[A-Za-z0-9._-]+", text)[0].lower().replace("_", "-") for text in requirements}

    run, dev = (set(pins(name)) for name in LOCK_FILES)
    assert names(project["dependencies"]) - run == set()
    extras = [text for extra in ("test", "lint", "docs") for text in project["optional-dependencies"][extra]]
    assert names(extras) - dev == set()


def make_targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split())


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", ".ci/run"])
def test_make_commands_in_the_text_exist(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    commands = re.findall(r"(?:^\s*|`)make(?: --?[\w-]+)*((?: [a-z]+)+)", text, re.MULTILINE)
    unknown = {word for words in commands for word in words.split()} - make_targets()
    assert unknown == set()


def test_make_help_lists_every_target():
    # run by make itself, make would talk about levels and directories
    environment = {
        name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    }
    command = ["make", "--no-print-directory"]
    printed = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=30
    ).stdout
    assert {line.split()[1] for line in printed.splitlines()} == make_targets()


def test_ci_runs_exactly_the_suite_then_the_checks():
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert [line.split("||")[0].strip() for line in lines if line.startswith("make")] == [
        "make test",
        "make --keep-going lint types docs",
    ]
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


class TestVersion:
    def test_citation(self):
        text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
        assert re.search(r"^version: (\S+)$", text, re.MULTILINE)[1] == satqkd.__version__

    def test_changelog(self):
        text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
        assert re.search(r"^## (\d+\.\d+\.\d+)", text, re.MULTILINE)[1] == satqkd.__version__

    def test_licences(self):
        text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
        with (ROOT / "pyproject.toml").open("rb") as file:
            licence = tomllib.load(file)["project"]["license"]
        assert re.search(r"^license: (\S+)$", text, re.MULTILINE)[1] == licence
