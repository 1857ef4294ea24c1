"""Write src/satqkd/channel/data/sky_radiance.npz: clear-sky radiance per irradiance above the atmosphere.

Usage: python tools/build_radiance_tables.py     (needs sasktran2; one minute, no network)

Spherical atmosphere at sea level, 16 streams, black ground, Henyey-Greenstein aerosol; optical depths, albedo and
asymmetry are the package's own. Of each site (its aerosol and visibility) and wavelength the file holds the natural
logarithm of L/F0 in single precision on the grid of view zenith, relative azimuth and Sun zenith below, in degrees.
The Sun's steps shorten towards the horizon, where the sky darkens fast: with 5 degrees throughout the interpolation
would err by 10 % there, so it errs by 2 %.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from satqkd.channel.aerosol import SITES
from satqkd.channel.atmosphere_layers import atmosphere_layers
from satqkd.channel.live_atmosphere import live_radiance
from satqkd.channel.published_radiance import WAVELENGTHS_M
from satqkd.channel.sky_radiance import table_name

TARGET = Path(__file__).parents[1] / "src" / "satqkd" / "channel" / "data" / "sky_radiance.npz"

VIEW_DEG = np.array([*range(0, 81, 5), 82.5, 85.0])
AZIMUTH_DEG = np.arange(0.0, 181.0, 10.0)
SUN_DEG = np.array([*range(0, 76, 5), 78.0, 80.0, 82.0, 84.0, 85.5, 87.0, 88.0, 89.0, 90.0])


def log_radiance(site: str, wavelength_m: float) -> np.ndarray:
    """Logarithm of L/F0 on the grid, shape (view, azimuth, Sun)."""
    air = SITES[site]
    layers = atmosphere_layers(wavelength_m=wavelength_m, aerosol=air.aerosol, visibility_m=air.visibility_m)
    of_suns = [
        live_radiance(
            layers,
            sun_zenith_rad=float(np.radians(sun_deg)),
            view_zenith_rad=np.radians(VIEW_DEG)[:, None],
            relative_azimuth_rad=np.radians(AZIMUTH_DEG),
        )
        for sun_deg in SUN_DEG
    ]
    return np.log(np.stack(of_suns, axis=-1)).astype(np.float32)


def main() -> None:
    """Compute all tables and write the file."""
    tables = {
        table_name(site, wavelength_m): log_radiance(site, wavelength_m)
        for site in SITES
        for wavelength_m in WAVELENGTHS_M
    }
    np.savez_compressed(TARGET, view_deg=VIEW_DEG, azimuth_deg=AZIMUTH_DEG, sun_deg=SUN_DEG, **tables)
    print(f"{TARGET.name}: {len(tables)} tables, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
