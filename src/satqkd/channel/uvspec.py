"""Adapter for a user's own libRadtran: writes the input of ``uvspec``, runs it, reads its output.

libRadtran is not part of this project and never needed; nothing is downloaded. The keywords are those of its manual,
version 2.0.

References
----------
.. [1] C. Emde et al., "The libRadtran software package for radiative transfer calculations (version 2.0.1)", Geosci.
   Model Dev. 9, 1647 (2016), and its user's guide.
.. [2] Mannalath, Zapatero, Curty, arXiv:2605.29706, App. H.11 and H.13.
"""

from __future__ import annotations

import math
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from satqkd.channel.atmosphere_tables import look_up
from satqkd.errors import InputError

__all__ = ["UvspecCase", "UvspecResult", "find_uvspec", "input_text", "parse_output", "run_uvspec"]

HAZE: Final[Mapping[str, int]] = MappingProxyType({"rural": 1, "maritime": 4, "urban": 5})
"""Numbers of ``aerosol_haze``."""

RESOLUTIONS: Final = ("coarse", "medium", "fine")
"""Band widths of the absorption parameterisation REPTRAN: 15, 5 and 1 per cm."""

MARGIN_NM: Final = 2.0
"""How far the wavelengths computed reach to either side of the one asked for."""


@dataclass(frozen=True)
class UvspecCase:
    """One wavelength and geometry.

    Parameters
    ----------
    wavelength_m : float
        Vacuum wavelength. [m]
    aerosol : str
        ``"rural"``, ``"urban"`` or ``"maritime"``.
    visibility_m : float
        Meteorological range at sea level. [m]
    sun_zenith_rad : float
        Zenith angle of the source from 0 to below pi/2: the Sun, or the satellite for the direct transmittance. [rad]
    altitude_m : float
        Altitude of the station above sea level. [m]
    view_zenith_rad : float, optional
        Zenith angle of a line of sight whose radiance is wanted. [rad]
    relative_azimuth_rad : float
        Azimuth of the line of sight minus that of the source; 0 looks towards the source's side. [rad]
    albedo : float
        Of the ground. [1]
    resolution : str
        Of the gas absorption, one of :data:`RESOLUTIONS`.
    """

    wavelength_m: float
    aerosol: str
    visibility_m: float
    sun_zenith_rad: float
    altitude_m: float = 0.0
    view_zenith_rad: float | None = None
    relative_azimuth_rad: float = 0.0
    albedo: float = 0.0
    resolution: str = "fine"

    def __post_init__(self) -> None:
        """Refuse values that uvspec would not accept or misread."""
        look_up(self.aerosol, HAZE, what="aerosol")
        look_up(self.resolution, dict.fromkeys(RESOLUTIONS), what="uvspec resolution")
        below_horizon = math.radians(89.9999)
        limits = {
            "wavelength_m": (250e-9, 5e-6),
            "visibility_m": (1.0, 1e6),
            "sun_zenith_rad": (0.0, below_horizon),
            "altitude_m": (0.0, 9000.0),
            "albedo": (0.0, 1.0),
            "view_zenith_rad": (0.0, below_horizon),
        }
        for name, (lowest, highest) in limits.items():
            value = getattr(self, name)
            if value is not None and not lowest <= value <= highest:
                raise InputError(f"uvspec case: {name} = {value!r}, must be from {lowest:g} to {highest:g}")


@dataclass(frozen=True)
class UvspecResult:
    """What uvspec computed.

    Parameters
    ----------
    transmittance : float
        Direct transmittance from the source. [1]
    radiance_per_irradiance : float, optional
        Radiance along the line of sight relative to the source's irradiance above the atmosphere. [1/sr]
    """

    transmittance: float
    radiance_per_irradiance: float | None


def find_uvspec() -> Path:
    """Path of the program ``uvspec``.

    Returns
    -------
    Path
        The first one on the search path.

    Raises
    ------
    InputError
        If there is none.
    """
    found = shutil.which("uvspec")
    if found is None:
        raise InputError(
            "uvspec: not found on PATH; install libRadtran, give the program's path, or use the built-in tables"
        )
    return Path(found)


def input_text(case: UvspecCase, *, data_path: Path) -> str:
    """Input of uvspec for one case.

    Parameters
    ----------
    case : UvspecCase
        What to compute.
    data_path : Path
        The folder ``data`` of libRadtran.

    Returns
    -------
    str
        Text for its standard input.

    Notes
    -----
    U.S. Standard Atmosphere, spring-summer aerosol of Shettle, 16 streams, pseudo-spherical discrete ordinates; all
    quantities relative to the irradiance above the atmosphere (``output_quantity transmittance``).
    """
    wavelength_nm = case.wavelength_m * 1e9
    lines = [
        f"data_files_path {data_path}/",
        f"atmosphere_file {data_path}/atmmod/afglus.dat",
        "source solar",
        f"mol_abs_param reptran {case.resolution}",
        f"wavelength {wavelength_nm - MARGIN_NM:.4f} {wavelength_nm + MARGIN_NM:.4f}",
        f"altitude {case.altitude_m / 1e3:.4f}",
        f"albedo {case.albedo:.4f}",
        "aerosol_default",
        f"aerosol_haze {HAZE[case.aerosol]}",
        "aerosol_season 1",
        "aerosol_vulcan 1",
        f"aerosol_visibility {case.visibility_m / 1e3:.4f}",
        f"sza {math.degrees(case.sun_zenith_rad):.6f}",
        "rte_solver disort",
        "pseudospherical",
        "number_of_streams 16",
        "zout sur",
        "output_quantity transmittance",
    ]
    if case.view_zenith_rad is None:
        lines.append("output_user lambda edir")
    else:
        lines += [
            "phi0 0.0",
            f"phi {math.degrees(case.relative_azimuth_rad) % 360.0:.6f}",
            f"umu {-math.cos(case.view_zenith_rad):.8f}",  # negative looks up
            "output_user lambda edir uu",
        ]
    return "\n".join([*lines, "quiet"]) + "\n"


def parse_output(text: str, case: UvspecCase) -> UvspecResult:
    """Result from the output of uvspec, interpolated to the case's wavelength.

    Parameters
    ----------
    text : str
        Standard output: per line wavelength in nm, direct irradiance on a horizontal surface and, if a line of sight
        was asked for, its radiance, both relative to the irradiance above the atmosphere.
    case : UvspecCase
        What was computed.

    Returns
    -------
    UvspecResult
        The direct irradiance divided by the cosine of the zenith angle, and the radiance.

    Raises
    ------
    InputError
        For output of another shape, values that cannot be, or wavelengths that do not enclose the case's.
    """
    columns = 2 if case.view_zenith_rad is None else 3
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            row = [float(word) for word in line.split()]
        except ValueError:
            row = []
        if len(row) != columns or not all(math.isfinite(value) and value >= 0.0 for value in row):
            raise InputError(
                f"uvspec output, line {number}: {line.strip()[:80]!r}, must be {columns} numbers, not negative"
            )
        rows.append(row)
    rows.sort()
    wavelength_nm = case.wavelength_m * 1e9
    below = [row for row in rows if row[0] <= wavelength_nm + 1e-6]
    above = [row for row in rows if row[0] >= wavelength_nm - 1e-6]
    if not below or not above:
        span = f"{rows[0][0]:g} to {rows[-1][0]:g} nm" if rows else "nothing"
        raise InputError(f"uvspec output: {span}, must enclose the wavelength {wavelength_nm:.6g} nm")
    left, right = below[-1], above[0]
    weight = 0.0 if right[0] <= left[0] else (wavelength_nm - left[0]) / (right[0] - left[0])
    values = [a + weight * (b - a) for a, b in zip(left[1:], right[1:], strict=True)]
    transmittance = values[0] / math.cos(case.sun_zenith_rad)
    if transmittance > 1.0 + 1e-6:
        raise InputError(f"uvspec output: direct transmittance {transmittance:.6g}, must be at most 1")
    return UvspecResult(
        transmittance=min(transmittance, 1.0), radiance_per_irradiance=values[1] if columns == 3 else None
    )


def run_uvspec(
    case: UvspecCase, *, data_path: Path, program: Path | None = None, timeout_s: float = 300.0
) -> UvspecResult:
    """Run a libRadtran that is installed on this machine.

    Parameters
    ----------
    case : UvspecCase
        What to compute.
    data_path : Path
        The folder ``data`` of libRadtran.
    program : Path, optional
        The program; without it ``uvspec`` on the search path.
    timeout_s : float
        How long to wait. [s]

    Returns
    -------
    UvspecResult
        Direct transmittance and, if asked for, radiance.

    Raises
    ------
    InputError
        If the program or its data are missing, it fails or takes too long, or its output cannot be used.
    """
    command = find_uvspec() if program is None else program
    if not data_path.is_dir():
        raise InputError(f"uvspec data: no folder {data_path}, must be the folder data of libRadtran")
    try:
        done = subprocess.run(
            [str(command)],
            input=input_text(case, data_path=data_path),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except OSError as error:
        raise InputError(f"uvspec: cannot run {command}: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise InputError(f"uvspec: no result within {timeout_s:g} s") from None
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
        raise InputError(f"uvspec: ended with code {done.returncode}, its last line: {said[:200]}")
    return parse_output(done.stdout, case)
