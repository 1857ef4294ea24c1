"""SI, WGS84 and astronomical constants, and scales that data come in, each with its source."""

from __future__ import annotations

import math
from typing import Final

SPEED_OF_LIGHT_M_S: Final = 299_792_458.0
"""Speed of light in vacuum, exact (SI)."""

PLANCK_J_S: Final = 6.626_070_15e-34
"""Planck constant, exact (SI 2019)."""

WGS84_SEMI_MAJOR_AXIS_M: Final = 6_378_137.0
"""Equatorial radius of the WGS84 ellipsoid (NGA.STND.0036)."""

WGS84_FLATTENING: Final = 1.0 / 298.257_223_563
"""Flattening of the WGS84 ellipsoid (NGA.STND.0036)."""

EARTH_GM_M3_S2: Final = 3.986_004_418e14
"""Geocentric gravitational constant, atmosphere included (WGS84)."""

EARTH_ROTATION_RAD_S: Final = 7.292_115_146_706_979e-5
"""Earth's rotation rate relative to the mean equinox of date (Vallado 2013, sec. 3.5)."""

EARTH_J2: Final = 1.082_626_68e-3
"""Second zonal harmonic of the geopotential (WGS84/EGM96, un-normalised)."""

MEAN_EARTH_RADIUS_M: Final = 6_371_000.0
"""Radius of the spherical Earth used by pass-geometry models."""

WGS72_EQUATORIAL_RADIUS_M: Final = 6_378_135.0
"""Equatorial radius of WGS72, the length unit of SGP4."""

WGS72_GM_M3_S2: Final = 3.986_008e14
"""Geocentric gravitational constant of WGS72, used by SGP4 mean motions."""

GEOSTATIONARY_RADIUS_M: Final = 42_164_172.0
"""Radius of the geostationary orbit: (GM / rotation rate^2)^(1/3)."""

ASTRONOMICAL_UNIT_M: Final = 149_597_870_700.0
"""Astronomical unit, exact (IAU 2012 resolution B2)."""

SUN_RADIUS_M: Final = 6.957e8
"""Nominal solar radius (IAU 2015 resolution B3)."""

SECONDS_PER_DAY: Final = 86_400.0
"""Seconds of a UTC day without leap second."""

TWO_PI: Final = 2.0 * math.pi
"""A full turn in radians."""

WANG_OPAQUE_THICKNESS: Final = 150.0
"""Upper end of the cloud scale in Eq. 3 of Wang et al., where nothing passes."""
