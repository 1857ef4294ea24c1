"""Sphinx configuration; pages made from the code are written by the extensions in ``_ext``."""

import sys
from pathlib import Path

import satqkd

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "_ext"))

project = "satqkd"
author = "The satqkd developers"
copyright = "The satqkd developers"
version = release = satqkd.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "numpydoc",
    "scenario_fields",
    "nomenclature",
    "command_line",
    "api_pages",
    "gallery",
]
exclude_patterns = ["_build", "_ext", "gallery/*.py"]
nitpicky = False
suppress_warnings = ["ref.citation"]  # a source listed for a whole module need not be cited in its text

myst_enable_extensions = ["dollarmath", "amsmath", "deflist"]
myst_heading_anchors = 3

autodoc_typehints = "none"  # the docstrings say types in words, with shapes and units
autosummary_generate = False  # numpydoc loads autosummary; the pages are written by api_pages
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

smartquotes = False

html_theme = "pydata_sphinx_theme"
html_title = f"satqkd {release}"
html_static_path = [name for name in ["_static"] if (HERE / name).is_dir()]
html_show_sourcelink = False
html_theme_options = {"show_prev_next": True, "secondary_sidebar_items": ["page-toc"]}
wide_pages = ["scenario", "nomenclature", "command_line"]
html_sidebars = {f"reference/generated/{name}": [] for name in wide_pages}
# a page without siblings below it has nothing to show there either
single_pages = ["getting-started", "scenario-files", "results", "models", "channel", "security", "validation"]
html_sidebars |= {name: [] for name in single_pages}
