"""Executed examples: every ``gallery/*.py`` becomes a page with its text, code, printed output and figure.

An example is a plain script: set-up, action, check with ``assert``. Its docstring is the page's text (first line: the
title). If it leaves a matplotlib figure in a variable ``figure``, the page shows it.
"""

import ast
import contextlib
import io
import runpy
import textwrap
from pathlib import Path
from typing import Any

from generated import heading, remove_other_pages, write_page


def run(script: Path) -> tuple[str, Any]:
    """What an example prints, and its figure or None; a failing check raises."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        names = runpy.run_path(str(script), run_name="__main__")
    return printed.getvalue(), names.get("figure")


def split(script: Path) -> tuple[str, str, str]:
    """Title, text and code of an example."""
    source = script.read_text(encoding="utf-8")
    tree = ast.parse(source)
    title, _, text = (ast.get_docstring(tree) or script.stem).partition("\n")
    after = tree.body[0].end_lineno or 0
    return title.rstrip("."), text.strip(), "\n".join(source.splitlines()[after:]).strip("\n")


def page(script: Path, pictures: Path) -> str:
    """RST of one example; its picture is written beside it."""
    title, text, code = split(script)
    printed, figure = run(script)
    result = heading(title) + text + "\n\n.. code-block:: python\n\n" + textwrap.indent(code, "   ") + "\n\n"
    if printed:
        result += "It prints:\n\n.. code-block:: text\n\n" + textwrap.indent(printed.rstrip(), "   ") + "\n\n"
    if figure is not None:
        pictures.mkdir(parents=True, exist_ok=True)
        figure.savefig(pictures / f"{script.stem}.png", dpi=150)
        result += f".. image:: {script.stem}.png\n   :alt: {title}\n\n"
    return result


def write(app: Any) -> None:
    """Run all the examples and write their pages and index."""
    scripts = sorted((Path(app.srcdir) / "gallery").glob("*.py"))
    pictures = Path(app.srcdir) / "reference" / "generated" / "gallery"
    for script in scripts:
        write_page(app.srcdir, f"gallery/{script.stem}.rst", page(script, pictures))
    text = heading("Gallery") + "Examples of one question each; they are executed whenever this page is built.\n\n"
    text += ".. toctree::\n   :maxdepth: 1\n\n" + "".join(f"   gallery/{script.stem}\n" for script in scripts)
    write_page(app.srcdir, "gallery.rst", text)
    remove_other_pages(app.srcdir, "gallery", {f"{script.stem}.rst" for script in scripts})


def setup(app: Any) -> dict[str, bool]:
    """Write the pages before Sphinx reads the sources."""
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
