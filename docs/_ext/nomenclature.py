"""Page of all output variables, made from :data:`satqkd.variables.VARIABLES`."""

from typing import Any

from generated import heading, list_table, write_page

from satqkd.variables import VARIABLES


def render() -> str:
    """The page."""
    rows = [
        (f"``{name}``", variable.symbol, variable.units or "text or time", variable.long_name)
        for name, variable in VARIABLES.items()
    ]
    return (
        heading("Nomenclature")
        + "Every column and variable of the results. NetCDF files carry units and meaning as attributes.\n\n"
        + list_table(("name", "symbol", "unit", "meaning"), rows, (30, 10, 14, 46))
    )


def setup(app: Any) -> dict[str, bool]:
    """Write the page before Sphinx reads the sources."""
    app.connect("builder-inited", lambda app: write_page(app.srcdir, "nomenclature.rst", render()))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
