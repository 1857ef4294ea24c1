"""Writing of pages that are made from the code; a page that did not change is left alone, so builds stay quick."""

from collections.abc import Sequence
from pathlib import Path


def write_page(source_folder: str | Path, name: str, text: str) -> None:
    """Write ``reference/generated/<name>`` below the documentation's source folder."""
    path = Path(source_folder) / "reference" / "generated" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def heading(text: str, line: str = "=") -> str:
    """RST heading."""
    return f"{text}\n{line * len(text)}\n\n"


def list_table(header: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]) -> str:
    """RST list-table; cells are RST."""
    lines = [".. list-table::", "   :header-rows: 1", f"   :widths: {' '.join(map(str, widths))}", ""]
    for row in [header, *rows]:
        for number, cell in enumerate(row):
            lines.append(f"   {'* -' if number == 0 else '  -'} {cell}".rstrip())
    return "\n".join(lines) + "\n\n"


def remove_other_pages(source_folder: str | Path, folder: str, names: set[str]) -> None:
    """Remove pages of ``reference/generated/<folder>`` that a former build made and this one does not."""
    for path in (Path(source_folder) / "reference" / "generated" / folder).glob("*.rst"):
        if path.name not in names:
            path.unlink()
