"""The direction of imports, what kernels may use, and what a quick start must not load.

Read from the source with ``ast``: imports inside functions and under ``TYPE_CHECKING`` count like any other.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "satqkd"

BASE = {"constants", "variables", "errors", "_version", "_lazy"}
MODELLING = ["scenario", "orbit", "channel", "payload", "detection", "security", "planning"]
ALLOWED: dict[str, set[str]] = {
    "constants": set(),
    "errors": set(),
    "_version": set(),
    "_lazy": set(),
    "variables": {"constants", "errors"},
    **{package: BASE | set(MODELLING[: level + 1]) for level, package in enumerate(MODELLING)},
    "distillation": BASE | {"scenario", "detection", "security", "distillation"},
    "formats": BASE | {"scenario", "orbit", "detection", "formats"},
    "plot": BASE | {"scenario", "plot"},
    "report": BASE | {"scenario", "formats", "plot", "report"},
    "study": BASE | set(MODELLING) | {"distillation", "formats", "plot", "report", "study"},
    "cli": BASE | set(MODELLING) | {"distillation", "formats", "plot", "report", "study", "cli", "__init__"},
    "__init__": BASE | {"scenario", "study"},
}
"""What each package (or module of the top level) may import of this project."""

KERNEL_PACKAGES = {"orbit", "channel", "detection", "security", "planning"}
GLUE = {
    # Where arrays meet scenarios and datasets; everything else in those packages is a kernel.
    "orbit/build.py", "orbit/geometry.py", "orbit/passes.py", "channel/evaluate.py", "channel/models.py",
    "channel/gaussian_beam.py", "channel/noise.py", "security/evaluate.py", "planning/evaluate.py",
}  # fmt: skip
READERS = {"orbit/elements_io.py", "orbit/omm.py", "orbit/tle.py", "orbit/oem.py"}
"""Text of published formats to plain objects: no arrays, no scenario."""

ADAPTERS = {"channel/live_atmosphere.py": {"sasktran2"}, "formats/ptu.py": {"ptufile"}}
"""Modules that import the library of an extra, inside a function; kernels may import no other."""

KERNEL_LIBRARIES = {"numpy", "scipy", "numba", "sgp4"} | set(sys.stdlib_module_names)
SCENARIO_LIBRARIES = {"pydantic", "pydantic_core"} | set(sys.stdlib_module_names)
LONGEST_FILE = 400
HEAVY = {"matplotlib", "xarray", "scipy", "numba", "rich", "pandas", "h5netcdf", "h5py"}


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of everything that a module imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                yield node.lineno, "." * node.level + (node.module or "")
            else:
                yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def own_package(name: str) -> str:
    """First part of ``satqkd.<part>...``; names defined in the package itself are its __init__'s."""
    part = [*name.split("."), ""][1]
    return part if part in ALLOWED else "__init__"


def violations(path: str, text: str) -> list[str]:
    """Everything that the module ``path`` (relative to the package) does against the rules."""
    tree = ast.parse(text)
    package = path.split("/")[0].removesuffix(".py")
    found = []
    if package not in ALLOWED:
        return [f"{path}: package {package} is not in the table of allowed imports"]
    kernel = package in KERNEL_PACKAGES and path not in GLUE
    for line, name in imports(tree):
        where, library = f"{path}:{line}", name.split(".")[0]
        if name.startswith("."):
            found.append(f"{where}: relative import")
        elif library == "satqkd":
            target = own_package(name)
            if target not in ALLOWED[package]:
                found.append(f"{where}: {package} may not import {name}")
            if kernel and target not in {"constants", "errors", "_lazy"} | KERNEL_PACKAGES:
                found.append(f"{where}: a kernel may not import {name}")
            if kernel and any(name.startswith("satqkd." + glue.removesuffix(".py").replace("/", ".")) for glue in GLUE):
                found.append(f"{where}: a kernel may not import {name}, which knows the scenario")
        elif library == "random":
            found.append(f"{where}: module random is not for physics (numpy Generator) nor keys (secrets)")
        elif library == "secrets" and package not in {"distillation", "delivery"}:
            found.append(f"{where}: secrets is for key material only")
        elif kernel and library not in KERNEL_LIBRARIES | ADAPTERS.get(path, set()):
            found.append(f"{where}: a kernel may not import {library}")
        elif package == "scenario" and library not in SCENARIO_LIBRARIES:
            found.append(f"{where}: scenario may not import {library}")
    lines = text.count("\n") + 1
    if lines > LONGEST_FILE:
        found.append(f"{path}: {lines} lines, more than {LONGEST_FILE}")
    return found


MODULES = sorted(path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES)
def test_module_keeps_the_rules(path):
    assert violations(path, (SOURCE / path).read_text(encoding="utf-8")) == []


def test_every_exception_is_still_needed():
    assert {path for path in GLUE | set(ADAPTERS) if not (SOURCE / path).exists()} == set()


@pytest.mark.parametrize("path", ADAPTERS)
def test_an_adapter_imports_its_extra_only_inside_functions(path):
    tree = ast.parse((SOURCE / path).read_text(encoding="utf-8"))
    top = ast.Module(
        body=[node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)], type_ignores=[]
    )
    everywhere, at_import = ({name.split(".")[0] for _, name in imports(part)} for part in (tree, top))
    assert ADAPTERS[path] <= everywhere
    assert ADAPTERS[path] & at_import == set()


@pytest.mark.parametrize(
    ("path", "text", "complaint"),
    [
        ("orbit/sun.py", "from satqkd.channel.divergence import loss", "orbit may not import satqkd.channel"),
        ("orbit/passes.py", "def f():\n    import satqkd.security.gllp", "passes.py:2: orbit may not import"),
        ("security/evaluate.py", "from satqkd import study", "security may not import satqkd.study"),
        ("security/evaluate.py", "from satqkd import run", "security may not import satqkd.run"),
        ("scenario/load.py", "if TYPE_CHECKING:\n    from satqkd.cli.main import app", "may not import satqkd.cli"),
        ("scenario/load.py", "import numpy as np", "scenario may not import numpy"),
        ("security/gllp.py", "from satqkd.scenario.model import Scenario", "a kernel may not import satqkd.scenario"),
        ("security/gllp.py", "import xarray as xr", "a kernel may not import xarray"),
        ("channel/extinction.py", "import sasktran2", "a kernel may not import sasktran2"),
        ("channel/live_atmosphere.py", "import xarray", "a kernel may not import xarray"),
        ("security/gllp.py", "from satqkd.variables import describe", "a kernel may not import satqkd.variables"),
        ("security/gllp.py", "from satqkd.channel import evaluate", "knows the scenario"),
        ("detection/new.py", "import pydantic", "a kernel may not import pydantic"),
        ("planning/single.py", "from random import choice", "module random"),
        ("security/gllp.py", "import secrets", "key material only"),
        ("formats/netcdf.py", "from . import tables", "relative import"),
        ("report/html.py", "import satqkd.cli.main", "report may not import satqkd.cli"),
        ("novel/thing.py", "", "not in the table"),
        ("cli/main.py", "\n" * 400, "401 lines"),
    ],
)
def test_a_broken_example_is_caught(path, text, complaint):
    found = violations(path, text)
    assert len(found) >= 1
    assert any(complaint in line for line in found), found


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("security/gllp.py", "import math\nimport numpy as np\nfrom satqkd.detection.weak_pulse import gain"),
        ("security/evaluate.py", "import xarray\nfrom satqkd.scenario.model import Scenario"),
        ("cli/main.py", "from satqkd import __version__, run\nimport satqkd.study.run"),
    ],
)
def test_a_sound_example_is_not(path, text):
    assert violations(path, text) == []


def modules_after(*arguments: str) -> set[str]:
    """Top-level modules loaded by a fresh interpreter, with exit code and printed text as they may be."""
    finished = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments], capture_output=True, text=True, timeout=60, cwd=ROOT
    )
    assert finished.returncode == 0, finished.stderr[-2000:]
    loaded = [line.rpartition("|")[2].strip() for line in finished.stderr.splitlines() if "import time:" in line]
    return {name.split(".")[0] for name in loaded}


def test_importing_the_package_loads_nothing_heavy():
    loaded = modules_after("-c", "import satqkd")
    assert "satqkd" in loaded
    assert loaded & (HEAVY | {"numpy", "pydantic", "sgp4"}) == set()


def test_loading_a_scenario_loads_nothing_heavy():
    loaded = modules_after("-c", "import satqkd; satqkd.load_scenario('micius-china-week')")
    assert "pydantic" in loaded
    assert loaded & HEAVY == set()


def test_help_of_the_command_line_loads_nothing_heavy():
    # typer draws its help with rich: that one is its own affair.
    loaded = modules_after(
        "-c", "from satqkd.cli.main import entry; import sys; sys.argv = ['satqkd', '--help']; entry()"
    )
    assert "typer" in loaded
    assert loaded & (HEAVY - {"rich"} | {"numpy"}) == set()


def public_functions(path: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Public functions of a module's top level."""
    for node in ast.parse((SOURCE / path).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield f"{path}:{node.lineno} {node.name}", node


KERNELS = [
    path
    for path in MODULES
    if path.split("/")[0] in KERNEL_PACKAGES and path not in GLUE | READERS and not path.endswith("__init__.py")
]


@pytest.mark.parametrize("path", [path for path in KERNELS if "/_" not in path])
def test_kernels_state_parameters_and_returns(path):
    """A kernel of three arguments or more says what each is and what comes back, or refers to the function that does.

    That the sections are complete is checked by tools/check_docstrings.py.
    """
    short = []
    for name, node in public_functions(path):
        text = ast.get_docstring(node) or ""
        arguments = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
        told = "Returns\n---" in text or "Yields\n---" in text
        documented = ("Parameters\n---" in text and told) or "see :func:" in text
        if len(arguments) > 2 and not documented:
            short.append(name)
    assert short == []
