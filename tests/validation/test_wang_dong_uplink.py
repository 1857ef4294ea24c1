"""Uplinks of X. Wang, C. Dong et al. (space-based MDI-QKD, Figs. 3-5, 7): every reading beside the printed numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from satqkd.channel.budget import LinkBudget
from satqkd.channel.divergence import slab_loss_db
from satqkd.channel.fitted import UPLINK_ZENITH_EXTINCTION_DB
from satqkd.channel.turbulence import TURBULENCE_PROFILES
from satqkd.channel.uplink_budget import uplink
from satqkd.orbit.geometry import sample_passes
from satqkd.orbit.kinematics import doppler_shift_hz
from satqkd.orbit.passes import find_passes
from satqkd.scenario.model import Scenario

Floats = NDArray[np.float64]
Change = Callable[..., Scenario]

STATIONS = {
    "Ngari": (32.325, 80.026, 5100),
    "Delingha": (37.3790, 97.7269, 3153),
    "Lijiang": (26.6942, 100.0300, 3233),
}
GROUND = dataclasses.replace(TURBULENCE_PROFILES["hv-5-7"], lower_height_m=0.0)
"""Eq. 3 integrates from the ground."""

TABLE_I_DB = {"optical": 1.5, "antenna": 1.5, "coupling": 5.9, "detector": 3.0}


@dataclass(frozen=True)
class Leg:
    """One uplink at the instants of a pass."""

    time_index: NDArray[np.int64]
    elevation_rad: Floats
    slant_range_m: Floats
    range_rate_m_s: Floats


def legs(changed: Change, names: list[str], start: str, end: str, mask_deg: float, step: str = "1 s") -> list[Leg]:
    stations = [
        {"name": name, "latitude": f"{lat} deg", "longitude": f"{lon} deg", "altitude": f"{height} m"}
        | {"elevation_mask": f"{mask_deg} deg"}
        for name, (lat, lon, height) in STATIONS.items()
        if name in names
    ]
    changes = {"stations": stations, "study.start": start, "study.end": end, "study.step": step}
    scenario = changed("micius-china-week", {**changes, "access.darkness": "any"})
    passes = find_passes(scenario)
    assert passes.sizes["pass"] == len(names)
    samples = sample_passes(scenario, passes)
    chosen = [samples.station_index == number for number in range(len(names))]
    return [
        Leg(
            samples.time_index[rows],
            samples.elevation_rad[rows],
            samples.slant_range_m[rows],
            samples.range_rate_m_s[rows],
        )
        for rows in chosen
    ]


@pytest.fixture(scope="module")
def ngari(changed: Change) -> Leg:
    """Pass of 25 September 2016 above 15 deg; 0.1 s, so that its ends are at 15.0 deg."""
    return legs(changed, ["Ngari"], "2016-09-25T18:50:00Z", "2016-09-25T19:10:00Z", 15.0, "0.1 s")[0]


@pytest.fixture(scope="module")
def dual(changed: Change) -> list[Leg]:
    """Both legs of 24 September 2016 while both stations see the satellite above 10 deg."""
    both = legs(changed, ["Delingha", "Lijiang"], "2016-09-24T17:35:00Z", "2016-09-24T18:00:00Z", 10.0)
    common = np.intersect1d(both[0].time_index, both[1].time_index)
    kept = [np.isin(leg.time_index, common) for leg in both]
    return [
        Leg(*(getattr(leg, field.name)[rows] for field in dataclasses.fields(Leg)))
        for leg, rows in zip(both, kept, strict=True)
    ]


def budget(
    leg: Leg, *, spread: str, radii_m: tuple[float, float] = (0.065, 0.15), zenith_db: float = 0.0
) -> LinkBudget:
    """Uplink with the losses of Table I; radii of transmitter and receiver as the paper gives them."""
    return uplink(
        slant_range_m=leg.slant_range_m,
        zenith_rad=0.5 * np.pi - leg.elevation_rad,
        wavelength_m=780e-9,
        tx_aperture_diameter_m=2.0 * radii_m[0],
        rx_aperture_diameter_m=2.0 * radii_m[1],
        site=GROUND,
        coupling=10 ** (-TABLE_I_DB["coupling"] / 10),
        atmosphere=10 ** (-slab_loss_db(leg.elevation_rad, zenith_loss_db=zenith_db) / 10),
        receiver=10 ** (-(TABLE_I_DB["optical"] + TABLE_I_DB["antenna"]) / 10),
        detector=10 ** (-TABLE_I_DB["detector"] / 10),
        spread=spread,
        divergence_rad=14e-6 if spread == "fixed-divergence" else None,
    )


def ends(loss_db: Floats) -> list[float]:
    return [float(loss_db.min()), float(loss_db.max())]


def test_the_pass_over_ngari_is_that_of_figure_3(ngari: Leg) -> None:
    # printed: 75.9 deg, 501 km, 1385 km at 15 deg; below: an independent propagation of the same elements, its digits
    assert np.degrees(ngari.elevation_rad.max()) == pytest.approx(76.0, abs=0.05)
    assert ngari.slant_range_m.min() / 1e3 == pytest.approx(499.5, abs=0.1)
    # rounding, and up to 0.1 s (0.7 km) between the last sample and 15.0 deg
    assert ngari.slant_range_m[-1] / 1e3 == pytest.approx(1374.0, abs=0.9)


@pytest.mark.parametrize(
    ("spread", "zenith_db", "expected_db"),
    [
        # printed in Fig. 3: 42.5 to 52.3 dB
        ("fixed-divergence", 0.0, (42.3, 51.1)),
        ("fixed-divergence", UPLINK_ZENITH_EXTINCTION_DB, (42.6, 52.4)),
        # no reference: Eqs. 1-3 on our pass, beside the next test's
        ("published", 0.0, (40.34, 60.82)),
    ],
)
def test_loss_over_ngari(ngari: Leg, spread: str, zenith_db: float, expected_db: tuple[float, float]) -> None:
    # an independent program's numbers, rounded to 0.1 dB: 0.05, and 0.02 between the programs (sampling, quadrature)
    assert ends(budget(ngari, spread=spread, zenith_db=zenith_db).loss_db()) == pytest.approx(expected_db, abs=0.07)


@pytest.mark.parametrize(("elevation_deg", "range_km", "expected_db"), [(75.9, 501.0, 40.4), (15.0, 1385.0, 60.9)])
def test_equations_as_printed_at_the_printed_distances(
    elevation_deg: float, range_km: float, expected_db: float
) -> None:
    leg = Leg(np.zeros(1, np.int64), np.radians([elevation_deg]), np.array([range_km * 1e3]), np.zeros(1))
    # an independent program's numbers, rounded to 0.1 dB; Fig. 3 has 42.5 and 52.3
    assert budget(leg, spread="published").loss_db().item() == pytest.approx(expected_db, abs=0.05)


def test_counting_the_air_mass_once_takes_off_over_six_decibels_at_fifteen_degrees(ngari: Leg) -> None:
    printed, once = (ends(budget(ngari, spread=spread).loss_db()) for spread in ("published", "long-term"))
    # turbulence nearly rules: 12 log10(1/sin el), less the diffraction's share (6 % of w^(5/3) at 15 deg)
    assert printed[1] - once[1] == pytest.approx(12.0 * np.log10(1.0 / np.sin(np.radians(15.0))), rel=0.08)
    assert printed[0] - once[0] == pytest.approx(12.0 * np.log10(1.0 / np.sin(np.radians(76.04))), rel=0.4)


@pytest.mark.parametrize(
    ("zenith_db", "expected_db"),
    # printed in Fig. 4: 94.0 to 100.2 dB
    [(UPLINK_ZENITH_EXTINCTION_DB, (93.6, 101.3))],
)
def test_sum_of_both_losses(dual: list[Leg], zenith_db: float, expected_db: tuple[float, float]) -> None:
    both = sum(budget(leg, spread="fixed-divergence", zenith_db=zenith_db).loss_db() for leg in dual)
    # an independent program's numbers, rounded to 0.1 dB
    assert ends(np.asarray(both)) == pytest.approx(expected_db, abs=0.07)


def test_duration_and_sum_of_distances_of_figure_4(dual: list[Leg]) -> None:
    # printed: 278 s and "1,611 to 2,428 km", which is the sum of both links; below an independent propagation
    assert len(dual[0].slant_range_m) == pytest.approx(266, abs=1)
    both_km = (dual[0].slant_range_m + dual[1].slant_range_m) / 1e3
    assert ends(both_km) == pytest.approx((1618, 2436), abs=1.0)


@pytest.mark.parametrize(("spread", "expected_db"), [("long-term", 53.7), ("published", 59.5)])
def test_large_telescopes_of_figure_5(dual: list[Leg], spread: str, expected_db: float) -> None:
    """Printed: 55 dB at the shortest overall length, R_r = 1.2 m, R_s = 0.75 m."""
    both = sum(budget(leg, spread=spread, radii_m=(0.75, 1.2)).loss_db() for leg in dual)
    shortest = int(np.argmin(dual[0].slant_range_m + dual[1].slant_range_m))
    # an independent program's numbers, rounded to 0.1 dB; sampled at other instants
    assert float(np.asarray(both)[shortest]) == pytest.approx(expected_db, abs=0.07)


def test_without_turbulence_the_large_telescopes_are_far_better_than_figure_5(dual: list[Leg]) -> None:
    both = np.asarray(sum(budget(leg, spread="vacuum", radii_m=(0.75, 1.2)).loss_db() for leg in dual))
    # the beam is smaller than the receiver: what is left are the losses of Table I, 2 x 11.9 dB
    assert float(both.min()) == pytest.approx(23.8, abs=0.01)


def test_doppler_shift_of_the_dual_pass(dual: list[Leg]) -> None:
    shifts = np.concatenate([doppler_shift_hz(leg.range_rate_m_s, 780e-9) for leg in dual]) / 1e9
    # Fig. 7 a: "about +- 10 GHz"; an independent propagation gives -9.0 to +8.7
    assert ends(shifts) == pytest.approx((-9.0, 8.7), abs=0.05)
    halves = np.concatenate([doppler_shift_hz(leg.range_rate_m_s, 1550e-9) for leg in dual]) / 1e9
    np.testing.assert_allclose(halves, shifts * 780 / 1550, rtol=1e-12)  # inverse to the wavelength
