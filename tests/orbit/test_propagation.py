from dataclasses import replace

import numpy as np
import pytest

from satqkd.constants import (
    EARTH_GM_M3_S2,
    EARTH_ROTATION_RAD_S,
    GEOSTATIONARY_RADIUS_M,
    MEAN_EARTH_RADIUS_M,
    WGS84_SEMI_MAJOR_AXIS_M,
)
from satqkd.errors import InputError
from satqkd.orbit.frames import ecef_to_geodetic, look_angles
from satqkd.orbit.propagation import (
    CircularOrbit,
    GeostationaryOrbit,
    Overpass,
    Sgp4Orbit,
    sun_synchronous_inclination_rad,
    walker,
)
from satqkd.orbit.time import gmst_rad, ut1_times

EPOCH = np.datetime64("2016-09-22T00:00:00", "ns")
TIMES = EPOCH + (np.arange(0, 86_400, 60) * 10**9).astype("timedelta64[ns]")


def circular(**changes):
    return CircularOrbit(
        **(
            {
                "name": "C",
                "epoch": EPOCH,
                "altitude_m": 500e3,
                "inclination_rad": 1.7,
                "raan_rad": 1.0,
                "argument_of_latitude_rad": 2.0,
            }
            | changes
        )
    )


def overpass(site, max_elevation_deg, heading_rad=0.4, altitude_m=500e3):
    return Overpass("O", site, np.radians(max_elevation_deg), altitude_m, EPOCH, heading_rad)


def inertial(orbit, times):
    """Inertial positions from Earth-fixed ones."""
    position, _ = orbit.states_ecef(times)
    turned = (position[:, 0] + 1j * position[:, 1]) * np.exp(1j * gmst_rad(ut1_times(times)))
    return np.stack([turned.real, turned.imag, position[:, 2]], axis=1)


def node_rate_deg_day(orbit, days):
    """Mean rate of the node of an orbit, from the normals of its plane over whole days."""
    early, late = (EPOCH + np.timedelta64(d, "D") + (TIMES - EPOCH) for d in (0, days))
    nodes = []
    for times in (early, late):
        here, there = inertial(orbit, times), inertial(orbit, times + np.timedelta64(10, "s"))
        normal = np.cross(here, there).mean(axis=0)
        nodes.append(np.arctan2(normal[0], -normal[1]))
    return np.degrees(np.angle(np.exp(1j * (nodes[1] - nodes[0])))) / days


ORBITS = {
    "circular": circular(),
    "kepler": circular(j2=False, altitude_m=8000e3, inclination_rad=0.3),
    "geostationary": GeostationaryOrbit("G", 2.0),
}


@pytest.fixture(params=[*ORBITS, "sgp4", "overpass", "molniya"])
def any_orbit(request, micius, make_site):
    extra = {
        "sgp4": Sgp4Orbit(micius),
        "overpass": overpass(make_site("S", 40.0, 10.0, 900.0), 40.0),
        "molniya": Sgp4Orbit(
            replace(
                micius, name="MOLNIYA", mean_motion_rev_day=2.006, eccentricity=0.74, inclination_rad=1.107, bstar=0.0
            )
        ),
    }
    return (ORBITS | extra)[request.param]


def test_velocity_is_the_derivative_of_the_position(any_orbit):
    h = np.timedelta64(50, "ms")
    slope = (any_orbit.states_ecef(TIMES + h)[0] - any_orbit.states_ecef(TIMES - h)[0]) / 0.1
    # SGP4's velocities are a theory of their own: 0.1 m/s in a low orbit, 2.2 m/s at the perigee of a Molniya orbit
    atol = {"MICIUS": 0.1, "MOLNIYA": 3.0}.get(any_orbit.name.split(" ")[0], 1e-4)
    np.testing.assert_allclose(any_orbit.states_ecef(TIMES)[1], slope, atol=atol)


def test_rate_and_radius_stay_below_their_bounds(any_orbit):
    position, velocity = any_orbit.states_ecef(TIMES)
    radius = np.linalg.norm(position, axis=1)
    rate = np.linalg.norm(np.cross(position, velocity), axis=1) / radius**2
    assert (rate <= any_orbit.max_angular_rate_rad_s * (1 + 1e-12)).all()
    assert (radius <= any_orbit.max_radius_m * (1 + 1e-12)).all()


def test_a_circular_orbit_without_j2_obeys_kepler():
    orbit = circular(j2=False)
    radius = WGS84_SEMI_MAJOR_AXIS_M + 500e3
    period_ns = round(2 * np.pi * np.sqrt(radius**3 / EARTH_GM_M3_S2) * 1e9)
    first, later = inertial(orbit, TIMES), inertial(orbit, TIMES + np.timedelta64(period_ns, "ns"))
    np.testing.assert_allclose(np.linalg.norm(first, axis=1), radius, rtol=1e-14)
    np.testing.assert_allclose(first, later, atol=0.01)  # UT1 is rounded to 1 ns twice: 2e-5 m; GMST 3e-3 m
    # inclination: greatest distance from the equator
    assert np.abs(first[:, 2]).max() == pytest.approx(radius * np.sin(1.7), rel=1e-4)


def test_starts_at_its_argument_of_latitude():
    start = inertial(circular(argument_of_latitude_rad=0.0, j2=True), TIMES[:1])[0]
    assert np.arctan2(start[1], start[0]) == pytest.approx(1.0, abs=1e-9)
    assert start[2] == pytest.approx(0.0, abs=1e-3)


def test_j2_turns_the_node_as_sgp4_does(micius):
    """Independent oracle: SGP4's secular node rate for the same size and inclination."""
    round_orbit = Sgp4Orbit(replace(micius, epoch=EPOCH, eccentricity=1e-6, bstar=0.0))
    same = circular(
        altitude_m=round_orbit.elements.semi_major_axis_m - WGS84_SEMI_MAJOR_AXIS_M,
        inclination_rad=micius.inclination_rad,
    )
    # J2^2 and J4 terms, Kozai's mean motion: 0.3 %
    assert node_rate_deg_day(same, 10) == pytest.approx(node_rate_deg_day(round_orbit, 10), rel=5e-3)


def test_j2_moves_the_satellite_along_as_sgp4_does(micius):
    """Nodal periods: time between northward crossings of the equator."""

    def nodal_period(orbit):
        times = EPOCH + (np.arange(0, 86_400, 1) * 10**9).astype("timedelta64[ns]")
        z = orbit.states_ecef(times)[0][:, 2]
        up = np.flatnonzero((z[:-1] < 0) & (z[1:] >= 0))
        crossing = up - z[up] / (z[up + 1] - z[up])
        return (crossing[-1] - crossing[0]) / (len(crossing) - 1)

    elements = replace(micius, epoch=EPOCH, eccentricity=1e-6, bstar=0.0)
    # SGP4's semi-major axis without Kozai's correction
    axis_m = elements.to_satrec().am * 6_378_135.0
    same = circular(altitude_m=axis_m - WGS84_SEMI_MAJOR_AXIS_M, inclination_rad=micius.inclination_rad)
    assert nodal_period(same) == pytest.approx(nodal_period(Sgp4Orbit(elements)), rel=5e-5)


def test_sun_synchronous_inclinations():
    # Vallado 2013, sec. 11.4.1, and the common rule: 97.4 deg at 500 km, 98.6 deg at 800 km
    assert np.degrees(sun_synchronous_inclination_rad(500e3)) == pytest.approx(97.40, abs=0.01)
    assert np.degrees(sun_synchronous_inclination_rad(800e3)) == pytest.approx(98.60, abs=0.01)
    orbit = circular(inclination_rad=sun_synchronous_inclination_rad(600e3), altitude_m=600e3)
    assert node_rate_deg_day(orbit, 20) == pytest.approx(360.0 / 365.24219, rel=1e-6)


@pytest.mark.parametrize(("altitude_m", "text"), [(6000e3, "no inclination exists"), (50e3, "at least 100000 m")])
def test_impossible_sun_synchronous_orbits(altitude_m, text):
    with pytest.raises(InputError, match=text):
        sun_synchronous_inclination_rad(altitude_m)


def test_a_geostationary_satellite_stands_still_at_its_longitude():
    position, velocity = GeostationaryOrbit("G", np.radians(116.0)).states_ecef(TIMES)
    latitude, longitude, altitude = ecef_to_geodetic(position)
    np.testing.assert_allclose(np.degrees(longitude), 116.0, rtol=1e-14)
    np.testing.assert_allclose(latitude, 0.0, atol=1e-15)
    np.testing.assert_allclose(altitude, 35_786_035.0, atol=1.0)  # 42 164 172 m less the equatorial radius
    np.testing.assert_array_equal(velocity, 0.0)
    # its rate is the Earth's: Kepler's third law
    assert np.sqrt(EARTH_GM_M3_S2 / GEOSTATIONARY_RADIUS_M**3) == pytest.approx(EARTH_ROTATION_RAD_S, rel=1e-6)


@pytest.mark.parametrize("max_elevation_deg", [90.0, 60.0, 12.0, 1e-3])
@pytest.mark.parametrize("heading_rad", [0.0, 2.5])
def test_an_overpass_culminates_at_its_elevation(make_site, max_elevation_deg, heading_rad):
    site = make_site("S", 55.9, -3.2, 300.0)
    orbit = overpass(site, max_elevation_deg, heading_rad)
    angles = look_angles(*orbit.states_ecef(np.array([EPOCH])), site)
    assert np.degrees(angles.elevation_rad[0]) == pytest.approx(max_elevation_deg, abs=1e-6)  # near 90: sqrt(eps)
    assert angles.range_rate_m_s[0] == pytest.approx(0.0, abs=1e-6)
    if max_elevation_deg < 90:
        expected = np.mod(heading_rad - np.pi / 2, 2 * np.pi)
        assert angles.azimuth_rad[0] == pytest.approx(expected, abs=1e-9)


def test_an_overpass_follows_the_spherical_formulae(make_site):
    """cos(psi) = cos(xi) cos(w t), tan(el) = (cos(psi) - R/(R+h)) / sin(psi), range by the law of cosines."""
    site = make_site("S", -33.0, 151.0, 0.0)
    orbit = overpass(site, 35.0, 1.0)
    seconds = np.linspace(-300.0, 300.0, 41)
    angles = look_angles(*orbit.states_ecef(EPOCH + np.rint(seconds * 1e9).astype("timedelta64[ns]")), site)
    r, a = MEAN_EARTH_RADIUS_M, MEAN_EARTH_RADIUS_M + 500e3
    xi = np.arccos(r / a * np.cos(np.radians(35.0))) - np.radians(35.0)
    psi = np.arccos(np.cos(xi) * np.cos(np.sqrt(EARTH_GM_M3_S2 / a**3) * seconds))
    np.testing.assert_allclose(angles.elevation_rad, np.arctan2(np.cos(psi) - r / a, np.sin(psi)), atol=1e-11)
    np.testing.assert_allclose(angles.slant_range_m, np.sqrt(r**2 + a**2 - 2 * r * a * np.cos(psi)), rtol=1e-12)


def test_an_overpass_moves_along_its_heading(make_site):
    site = make_site("S", 10.0, 20.0, 0.0)
    _, velocity = overpass(site, 90.0, np.radians(30.0)).states_ecef(np.array([EPOCH]))
    east, north, up = site.enu @ velocity[0]
    assert np.degrees(np.arctan2(east, north)) == pytest.approx(30.0, abs=1e-9)
    assert up == pytest.approx(0.0, abs=1e-6)


def test_walker_delta_is_even_and_phased():
    fleet = walker(1.0, 6, 3, 2, 1200e3, EPOCH, raan_rad=0.1, argument_of_latitude_rad=0.2, name="W")
    assert [each.name for each in fleet] == ["W-1-1", "W-1-2", "W-2-1", "W-2-2", "W-3-1", "W-3-2"]
    turns = np.array([[each.raan_rad - 0.1, each.argument_of_latitude_rad - 0.2] for each in fleet]) / (2 * np.pi)
    expected = [[0, 0], [0, 1 / 2], [1 / 3, 2 / 6], [1 / 3, 5 / 6], [2 / 3, 4 / 6], [2 / 3, 7 / 6]]
    np.testing.assert_allclose(turns, expected, atol=1e-15)


def test_walker_star_spreads_its_planes_over_half_a_turn():
    fleet = walker(1.5, 66, 6, 2, 780e3, EPOCH, pattern="star")
    assert sorted({round(np.degrees(each.raan_rad), 9) for each in fleet}) == [0.0, 30.0, 60.0, 90.0, 120.0, 150.0]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: walker(1.0, 7, 3, 0, 1e6, EPOCH), "7 satellites cannot be spread evenly over 3 planes"),
        (lambda: walker(1.0, 6, 3, 3, 1e6, EPOCH), "phasing must be from 0 to 2"),
        (lambda: walker(1.0, 6, 3, 0, 1e6, EPOCH, pattern="ring"), "pattern must be one of"),
        (lambda: walker(1.0, 6, 0, 0, 1e6, EPOCH), "over 0 planes"),
        (lambda: circular(altitude_m=99e3), "C: altitude must be at least 100000 m, got 99000"),
        (lambda: circular(altitude_m=float("nan")), "altitude"),
        (lambda: circular(inclination_rad=4.0), "inclination must be from 0 to 180 deg"),
        (lambda: circular(epoch="never"), "epoch"),
    ],
)
def test_impossible_orbits_are_refused(make, text):
    with pytest.raises(InputError, match=text):
        make()


@pytest.mark.parametrize("elevation_deg", [0.0, 91.0, float("nan")])
def test_impossible_overpasses_are_refused(make_site, elevation_deg):
    with pytest.raises(InputError, match=r"maximum elevation must be in \(0, 90\] deg"):
        overpass(make_site("S", 0.0, 0.0, 0.0), elevation_deg)
