"""Write the tables of src/satqkd/channel/data: optical properties of aerosols, vertical optical depth of gases.

Usage: python tools/build_atmosphere_tables.py     (needs miepython; 10 s)

Aerosols: Mie scattering of the log-normal size distributions of E. P. Shettle and R. W. Fenn, "Models for the aerosols
of the lower atmosphere and the effects of humidity variations on their optical properties", AFGL-TR-79-0214 (1979):
Eq. 1, the number densities of Table 1, the mode radii of Table 2 at 0, 70, 80 and 99 % relative humidity (where
radiative-transfer codes tabulate these models), and its refractive indices at the wavelengths used here.
Gases: the spectral model of R. E. Bird and C. Riordan, SERI/TR-215-2436 (1984), at unit air mass for the U.S. Standard
Atmosphere 1976, with three band averages in its place where links are operated (ANCHORS).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("MIEPYTHON_USE_JIT", "1")

import miepython
import numpy as np
from numpy.typing import NDArray

VERSION = 1
TARGET = Path(__file__).parents[1] / "src" / "satqkd" / "channel" / "data"
Floats = NDArray[np.float64]

INDEX_UM = np.array([0.4, 0.488, 0.5145, 0.55, 0.6328, 0.6943, 0.86, 1.06, 1.3, 1.536, 1.8])
"""Wavelengths of the refractive indices."""
REFRACTIVE_INDEX = {
    "water-soluble": (
        [1.53, 1.53, 1.53, 1.53, 1.53, 1.53, 1.52, 1.52, 1.51, 1.51, 1.46],
        [0.005, 0.005, 0.005, 0.006, 0.006, 0.007, 0.012, 0.017, 0.020, 0.023, 0.017],
    ),
    "dust-like": ([1.53, 1.53, 1.53, 1.53, 1.53, 1.53, 1.52, 1.52, 1.46, 1.40, 1.33], [0.008] * 11),
    "soot": (
        [1.75, 1.75, 1.75, 1.75, 1.75, 1.75, 1.75, 1.75, 1.76, 1.77, 1.79],
        [0.46, 0.45, 0.45, 0.44, 0.43, 0.43, 0.43, 0.44, 0.45, 0.46, 0.48],
    ),
    "sea-salt": (
        [1.50, 1.50, 1.50, 1.50, 1.49, 1.49, 1.48, 1.47, 1.47, 1.46, 1.45],
        [3e-8, 2e-8, 1e-8, 1e-8, 2e-8, 1e-7, 3e-6, 2e-4, 4e-4, 6e-4, 8e-4],
    ),
    "water": (
        [1.339, 1.335, 1.334, 1.333, 1.332, 1.331, 1.329, 1.326, 1.323, 1.318, 1.312],
        [1.9e-9, 9.7e-10, 9.2e-10, 2.0e-9, 1.5e-8, 3.0e-8, 3.3e-7, 1.3e-6, 1.2e-5, 9.0e-5, 1.15e-4],
    ),
}
"""Real and imaginary part of each substance at INDEX_UM; absorption as n - ik."""

HUMIDITY = (0.0, 0.70, 0.80, 0.99)
RURAL_SMALL_UM = (0.02700, 0.02846, 0.03274, 0.05215)
MODES = {
    "rural": (("rural", 0.999875, 0.35, RURAL_SMALL_UM), ("rural", 0.000125, 0.40, (0.4300, 0.4571, 0.5477, 1.1755))),
    "urban": (
        ("urban", 0.999875, 0.35, (0.02500, 0.02911, 0.03514, 0.06847)),
        ("urban", 0.000125, 0.40, (0.4000, 0.4777, 0.5805, 1.4858)),
    ),
    "maritime": (("rural", 0.99, 0.35, RURAL_SMALL_UM), ("sea-salt", 0.01, 0.40, (0.1600, 0.2041, 0.3180, 0.7505))),
}
"""Per model: substance when dry, share of the particles, width of the decimal logarithm, mode radii in micrometres."""

WAVELENGTH_NM = np.arange(400, 1701, 25)

WATER_CM, OZONE_CM = 1.42, 0.344
"""Precipitable water and ozone column (atm cm) of the U.S. Standard Atmosphere 1976."""
GAS_COEFFICIENTS = """
400 0 0 0; 410 0 0 0; 420 0 0 0; 430 0 0 0; 440 0 0 0; 450 .003 0 0; 460 .006 0 0; 470 .009 0 0; 480 .014 0 0;
490 .021 0 0; 500 .03 0 0; 510 .04 0 0; 520 .048 0 0; 530 .063 0 0; 540 .075 0 0; 550 .085 0 0; 570 .12 0 0;
593 .119 .075 0; 610 .12 0 0; 630 .09 0 0; 656 .065 0 0; 667.6 .051 0 0; 690 .028 .016 .15; 710 .018 .0125 0;
718 .015 1.8 0; 724.4 .012 2.5 0; 740 .01 .061 0; 752.5 .008 .0008 0; 757.5 .007 .0001 0; 762.5 .006 1e-5 4;
767.5 .005 1e-5 .35; 780 0 .0006 0; 800 0 .036 0; 816 0 1.6 0; 823.7 0 2.5 0; 831.5 0 .5 0; 840 0 .155 0;
860 0 1e-5 0; 880 0 .0026 0; 905 0 7 0; 915 0 5 0; 925 0 5 0; 930 0 27 0; 937 0 55 0; 948 0 45 0; 965 0 4 0;
980 0 1.48 0; 993.5 0 .1 0; 1040 0 1e-5 0; 1070 0 .001 0; 1100 0 3.2 0; 1120 0 115 0; 1130 0 70 0; 1145 0 75 0;
1161 0 10 0; 1170 0 5 0; 1200 0 2 0; 1240 0 .002 .05; 1270 0 .002 .3; 1290 0 .1 .02; 1320 0 4 .0002;
1350 0 200 .00011; 1395 0 1000 1e-5; 1442.5 0 185 .05; 1462.5 0 80 .011; 1477 0 80 .005; 1497 0 12 .0006;
1520 0 .16 0; 1539 0 .002 .005; 1558 0 .0005 .13; 1578 0 .0001 .04; 1592 0 1e-5 .06; 1610 0 .0001 .13;
1630 0 .001 .001; 1646 0 .01 .0014; 1678 0 .036 .0001; 1740 0 1.1 1e-5
"""
"""Wavelength in nm, absorption coefficients of ozone, water vapour and mixed gases: Bird and Riordan."""
ANCHORS = {656.448: ("water", 0.040), 854.445: ("water", 0.012), 1550.027: ("mixed", 0.013)}
"""Wavelength in nm -> gas that takes the difference to the spectral model, total vertical optical depth.

Band averages of the gases in the radiative-transfer program SBDART, U.S. Standard Atmosphere.
"""
STRONGEST_BAND = {"water": 0.13, "mixed": 0.085}
"""Optical depth of each above which a band average says nothing of a laser line: no data.

Nor is there any at a single weaker wavelength between two such.
"""
BAND_LAWS = {"water": (0.2385, 20.07), "mixed": (1.41, 118.93)}
"""Optical depth a x / (1 + b x)^0.45 of absorber amount times coefficient x, Bird and Riordan, Eqs. 2-8 and 2-11."""


def refractive_index(substance: str, wavelength_um: float) -> complex:
    """Complex refractive index, the imaginary part interpolated in its logarithm."""
    if substance == "rural":
        return 0.7 * refractive_index("water-soluble", wavelength_um) + 0.3 * refractive_index(
            "dust-like", wavelength_um
        )
    if substance == "urban":
        return 0.8 * refractive_index("rural", wavelength_um) + 0.2 * refractive_index("soot", wavelength_um)
    real, imaginary = REFRACTIVE_INDEX[substance]
    k = np.exp(np.interp(wavelength_um, INDEX_UM, np.log(imaginary)))
    return complex(np.interp(wavelength_um, INDEX_UM, real) - 1j * k)


def mode_sums(index: complex, wavelength_um: float, radius_um: float, width: float) -> Floats:
    """Mean extinction and scattering cross-sections and cosine-weighted scattering of one log-normal mode."""
    peak = np.log10(radius_um) + np.log(100.0) * width**2  # mode of the area distribution
    log_radius = np.linspace(peak - 5.0 * width, peak + 5.0 * width, 800)
    density = np.exp(-0.5 * ((log_radius - np.log10(radius_um)) / width) ** 2) / (width * np.sqrt(2.0 * np.pi))
    radius = 10.0**log_radius
    extinction, scattering, _, cosine = miepython.efficiencies_mx(index, 2.0 * np.pi * radius / wavelength_um)
    weight = np.pi * radius**2 * density * (log_radius[1] - log_radius[0])
    return np.array([(weight * extinction).sum(), (weight * scattering).sum(), (weight * scattering * cosine).sum()])


def aerosol_sums(aerosol: str, humidity: int, wavelength_um: float) -> Floats:
    """The sums of all modes; a moist particle is its dry volume mixed with water."""
    water = refractive_index("water", wavelength_um)
    total = np.zeros(3)
    for substance, share, width, radii in MODES[aerosol]:
        dry_volume = (radii[0] / radii[humidity]) ** 3
        index = water + (refractive_index(substance, wavelength_um) - water) * dry_volume
        total += share * mode_sums(index, wavelength_um, radii[humidity], width)
    return total


def aerosol_rows() -> Iterator[str]:
    """Lines of the aerosol table."""
    for aerosol in MODES:
        for number, humidity in enumerate(HUMIDITY):
            reference = aerosol_sums(aerosol, number, 0.55)[0]
            for wavelength_nm in WAVELENGTH_NM:
                extinction, scattering, cosine = aerosol_sums(aerosol, number, wavelength_nm / 1000.0)
                values = (extinction / reference, scattering / extinction, cosine / scattering)
                yield f"{aerosol},{humidity:g},{wavelength_nm}," + ",".join(f"{value:.5f}" for value in values)


def band_depth(gas: str, path: float) -> float:
    """Optical depth by the band law of a gas."""
    strength, growth = BAND_LAWS[gas]
    return strength * path / (1.0 + growth * path) ** 0.45


def band_path(gas: str, depth: float) -> float:
    """Inverse of the band law, by bisection."""
    low, high = 0.0, 1e3
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if band_depth(gas, middle) < depth else (low, middle)
    return low


def gas_rows() -> Iterator[str]:
    """Lines of the gas table."""
    rows = {}
    for text in GAS_COEFFICIENTS.replace("\n", " ").split(";"):
        wavelength_nm, ozone, water, mixed = (float(word) for word in text.split())
        rows[wavelength_nm] = {"ozone": ozone * OZONE_CM, "water": water * WATER_CM, "mixed": mixed}
    ozone_656 = rows.pop(656.0)["ozone"]  # its anchor, 0.4 nm away, takes its place
    for wavelength_nm, (gas, total) in ANCHORS.items():
        ozone = ozone_656 if wavelength_nm < 700.0 else 0.0
        rows[wavelength_nm] = {"ozone": ozone, "water": 0.0, "mixed": 0.0, gas: band_path(gas, total - ozone)}
    order = sorted(rows)
    depths = {nm: {gas: band_depth(gas, rows[nm][gas]) for gas in BAND_LAWS} for nm in order}
    weak = [all(depths[nm][gas] <= limit for gas, limit in STRONGEST_BAND.items()) for nm in order]
    for number, nm in enumerate(order):
        alone = not any(weak[max(number - 1, 0) : number] + weak[number + 1 : number + 2])
        source = "anchor" if nm in ANCHORS else "model"
        if alone or not weak[number]:
            source = "no data"
        bands = (f"{depths[nm][gas]:.5f},{BAND_LAWS[gas][1] * rows[nm][gas]:.5g}" for gas in BAND_LAWS)
        yield f"{nm:.7g},{rows[nm]['ozone']:.5f},{','.join(bands)},{source}"


TABLES = {
    "aerosol_optics.csv": (
        "Mie calculation for the aerosol models of Shettle and Fenn 1979 (AFGL-TR-79-0214)",
        "aerosol,relative_humidity,wavelength_nm,extinction_ratio_to_550_nm,single_scattering_albedo,asymmetry",
        aerosol_rows,
    ),
    "gas_optical_depth.csv": (
        f"Bird and Riordan 1984 (SERI/TR-215-2436), water {WATER_CM} cm, ozone {OZONE_CM} atm cm; "
        "anchor: band average of SBDART; no data: strong absorption band",
        "wavelength_nm,ozone,water,water_growth,mixed,mixed_growth,source",
        gas_rows,
    ),
}


def main() -> None:
    """Write both tables."""
    TARGET.mkdir(exist_ok=True)
    for name, (source, heading, rows) in TABLES.items():
        lines = [f"# {source}", f"# version {VERSION}, by tools/{Path(__file__).name}", heading, *rows()]
        (TARGET / name).write_text("\n".join(lines) + "\n", encoding="ascii")
        print(f"{TARGET / name}: {len(lines) - 3} rows")


if __name__ == "__main__":
    main()
