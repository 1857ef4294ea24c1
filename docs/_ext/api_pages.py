"""One page per public module, and their index; a new module is in the reference without anyone listing it."""

import ast
from pathlib import Path
from typing import Any

from generated import heading, remove_other_pages, write_page

import satqkd

PACKAGE = Path(satqkd.__file__).parent
ORDER = (
    "",
    "scenario",
    "orbit",
    "channel",
    "detection",
    "security",
    "planning",
    "distillation",
    "study",
    "formats",
    "plot",
    "report",
)
"""Packages in the order of the data flow; the command line has its own page."""
MODELS = {"satqkd.scenario." + name for name in ("base", "environment", "equipment", "files", "orbits", "protocol")}
"""Shown field by field on the page of scenario files instead."""


def modules() -> dict[str, list[str]]:
    """Public modules of each package, packages with a docstring only left out."""
    found: dict[str, list[str]] = {}
    for package in ORDER:
        folder = PACKAGE / package if package else PACKAGE
        prefix = f"satqkd.{package}." if package else "satqkd."
        names = [prefix + path.stem for path in sorted(folder.glob("*.py")) if not path.stem.startswith("_")]
        found[package] = [name for name in names if name not in MODELS]
    found[""].insert(0, "satqkd")
    return found


def summary(name: str) -> str:
    """First sentence of a module's docstring."""
    relative = name.removeprefix("satqkd").strip(".").replace(".", "/")
    path = PACKAGE / f"{relative}.py" if (PACKAGE / f"{relative}.py").is_file() else PACKAGE / relative / "__init__.py"
    return (
        (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n\n")[0].replace("\n", " ")
    )


def write(app: Any) -> None:
    """Write the index and the pages."""
    text = heading("Python interface")
    for package, names in modules().items():
        if not names:
            continue
        text += heading(f"satqkd.{package}" if package else "satqkd", "-")
        text += ".. toctree::\n   :hidden:\n\n" + "".join(f"   api/{name}\n" for name in names) + "\n"
        text += "".join(f":doc:`{name} <api/{name}>`\n   {summary(name)}\n\n" for name in names)
        for name in names:
            page = heading(name) + f".. automodule:: {name}\n   :members:\n   :show-inheritance:\n"
            write_page(app.srcdir, f"api/{name}.rst", page)
    write_page(app.srcdir, "api.rst", text)
    remove_other_pages(app.srcdir, "api", {f"{name}.rst" for names in modules().values() for name in names})


def setup(app: Any) -> dict[str, bool]:
    """Write the pages before Sphinx reads the sources."""
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
