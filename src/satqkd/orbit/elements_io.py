"""Read orbital elements in whichever format they are: TLE, or OMM in KVN, XML or JSON."""

from __future__ import annotations

from pathlib import Path

from satqkd.errors import InputError
from satqkd.orbit.elements import OrbitalElements
from satqkd.orbit.omm import parse_omm_json, parse_omm_kvn, parse_omm_xml
from satqkd.orbit.tle import parse_tle

__all__ = ["parse_elements", "read_elements"]


def parse_elements(text: str, source: str = "elements") -> list[OrbitalElements]:
    """Orbital elements of a text whose format is told by its beginning.

    Parameters
    ----------
    text : str
        ``[`` or ``{``: OMM in JSON; ``<``: OMM in XML; ``CCSDS_OMM_VERS``: OMM in KVN; anything else: TLE.
    source : str
        What to call the text in errors.

    Returns
    -------
    list of OrbitalElements
        At least one set.

    Raises
    ------
    InputError
        The text is not valid in that format.
    """
    text = text.removeprefix("\ufeff")
    beginning = text.lstrip()
    if beginning.startswith(("[", "{")):
        return parse_omm_json(text, source=source)
    if beginning.startswith("<"):
        return parse_omm_xml(text, source=source)
    if beginning.startswith(("CCSDS_OMM_VERS", "COMMENT")):
        return parse_omm_kvn(text, source=source)
    return parse_tle(text, source=source)


def read_elements(path: str | Path) -> list[OrbitalElements]:
    """Orbital elements of a file, see :func:`parse_elements`.

    Parameters
    ----------
    path : str or Path
        The file, UTF-8.

    Returns
    -------
    list of OrbitalElements
        At least one set.

    Raises
    ------
    InputError
        The file cannot be read, or its text is not valid.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a UTF-8 text"
        raise InputError(f"{path}: cannot read orbital elements: {reason}") from None
    return parse_elements(text, source=str(path))
