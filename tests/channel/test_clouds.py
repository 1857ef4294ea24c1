"""Clouds: attenuation against quadrature and published values, classes against counting and a known distribution."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import lognorm

from satqkd.channel.clouds import (
    CLASS_CUTS,
    CLOUD_CITATIONS,
    CLOUD_MODELS,
    REPRESENTATIVE_THICKNESS,
    SkyFractions,
    beer_lambert_cloud_transmittance,
    expectation,
    fractions_of_bins,
    fractions_of_exceedance,
    fractions_of_samples,
    linear_cloud_transmittance,
    liquid_water_thickness,
)
from satqkd.channel.divergence import loss_db
from satqkd.errors import InputError
from satqkd.scenario.environment import CloudTable
from satqkd.scenario.tables import CLOUD_SCALES

ZENITH = np.pi / 2


@pytest.mark.parametrize(("thickness", "expected_db"), [(0.65, [2.8, 4.0, 5.7]), (2.45, [10.6, 15.1, 21.3])])
def test_losses_of_the_two_representative_clouds(thickness: float, expected_db: list[float]) -> None:
    # zenith angles 0, 45, 60 deg, from an independent solution of the radiative transfer, given to 0.1 dB: rounding and
    # the 1.4 % by which the drops' extinction at 854 nm differs from that in the visible
    elevation_rad = np.radians([90.0, 45.0, 30.0])
    loss = loss_db(beer_lambert_cloud_transmittance(thickness, elevation_rad=elevation_rad))
    np.testing.assert_allclose(loss, expected_db, atol=0.05, rtol=0.014)
    assert thickness in REPRESENTATIVE_THICKNESS.values()


@pytest.mark.parametrize(("thickness", "elevation_deg"), [(0.65, 17.0), (2.45, 60.0), (30.0, 89.0)])
def test_beer_lambert_is_the_integral_of_extinction_along_the_path(thickness: float, elevation_deg: float) -> None:
    # a layer of 2 km whose extinction is a parabola, along a straight line through it
    sine = mpmath.sin(mpmath.radians(elevation_deg))
    peak = 1.5 * thickness / 2000.0
    depth = mpmath.quad(lambda s: peak * (1 - (s * sine / 1000 - 1) ** 2), [0, 2000 / sine])
    found = float(beer_lambert_cloud_transmittance(thickness, elevation_rad=np.radians(elevation_deg)))
    # exponent of up to 30, rounded in its last digits
    assert found == pytest.approx(float(mpmath.exp(-depth)), rel=1e-13)


def test_thin_cloud_takes_its_thickness_and_thick_ones_everything() -> None:
    # exp(-x) = 1 - x + x^2/2: next order 5e-9
    assert float(beer_lambert_cloud_transmittance(1e-4, elevation_rad=ZENITH)) == pytest.approx(1.0 - 1e-4, abs=6e-9)
    np.testing.assert_array_equal(beer_lambert_cloud_transmittance([0.0, np.inf], elevation_rad=0.2), [1.0, 0.0])


@given(st.floats(0.0, 20.0), st.floats(0.0, 20.0), st.floats(0.05, ZENITH))
def test_layers_multiply(one: float, other: float, elevation_rad: float) -> None:
    product = np.prod([beer_lambert_cloud_transmittance(t, elevation_rad=elevation_rad) for t in (one, other)])
    both = float(beer_lambert_cloud_transmittance(one + other, elevation_rad=elevation_rad))
    # the exponent, up to 800, is rounded to 1e-16 of itself
    assert both == pytest.approx(float(product), rel=1e-12, abs=1e-300)


@pytest.mark.parametrize(
    ("thickness", "elevation_rad", "message"),
    [(-0.1, 1.0, "at least 0"), (np.nan, 1.0, "at least 0"), (1.0, 0.0, "above 0 deg"), (1.0, -0.02, "-1.15 deg")],
)
def test_beer_lambert_refuses(thickness: float, elevation_rad: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        beer_lambert_cloud_transmittance([0.5, thickness], elevation_rad=elevation_rad)


def test_wang_scale_ends_and_paper_example() -> None:
    assert linear_cloud_transmittance([0, 75, 150]).tolist() == [1.0, 0.5, 0.0]
    # Fig. 5 b of Wang et al.: clouds of 4.7 dB and 2.1 dB are thicknesses near 99 and 57; read to 0.1 dB
    np.testing.assert_allclose(loss_db(linear_cloud_transmittance([99, 57])), [4.7, 2.1], atol=0.05)


def test_wang_formula_is_not_beer_lambert() -> None:
    models = {name: float(loss_db(model(2.45, elevation_rad=ZENITH))) for name, model in CLOUD_MODELS.items()}
    assert models["wang"] == pytest.approx(0.07, abs=0.005)  # -10 log10(147.55/150) = 0.0715, to two digits
    assert models["optical-thickness"] == pytest.approx(10.64, abs=0.005)  # 2.45 * 4.3429


@pytest.mark.parametrize("thickness", [-1.0, 150.5, np.nan])
def test_wang_scale_is_kept(thickness: float) -> None:
    with pytest.raises(InputError, match="0 to 150"):
        linear_cloud_transmittance(thickness)


def test_every_model_is_known_to_the_scenario_and_has_a_source() -> None:
    schema = CloudTable.model_json_schema()["properties"]["model"]
    assert set(CLOUD_MODELS) == set(CLOUD_SCALES) == set(CLOUD_CITATIONS) == set(schema["enum"])


SAMPLES = st.lists(st.floats(0.0, 10.0) | st.sampled_from([np.nan, *CLASS_CUTS]), min_size=1, max_size=40)


@given(SAMPLES.filter(lambda samples: not np.isnan(samples).all()))
def test_counting_agrees_with_a_loop(samples: list[float]) -> None:
    known = [value for value in samples if value == value]
    names = [
        "clear" if v <= CLASS_CUTS[0] else "thin" if v <= CLASS_CUTS[1] else "thick" if v <= CLASS_CUTS[2] else "opaque"
        for v in known
    ]
    found = fractions_of_samples(samples)
    for name in ("clear", "thin", "thick", "opaque"):
        # quotients of small integers and their differences
        assert float(getattr(found, name)) == pytest.approx(names.count(name) / len(known), abs=1e-14)


def test_all_samples_missing_is_an_error() -> None:
    with pytest.raises(InputError, match="no data"):
        fractions_of_samples([[0.0, 1.0], [np.nan, np.nan]])
    with pytest.raises(InputError, match="at least 0"):
        fractions_of_samples([-1.0])


def test_histogram_bins_by_equation_170() -> None:
    bins = np.array([[0.1, 0.15, 0.2, 0.05, 0.03, 0.02], [0.0] * 6])
    found = fractions_of_bins(bins)
    # sums of decimals
    np.testing.assert_allclose(found.clear, [0.45, 1.0], atol=1e-15)
    np.testing.assert_array_equal(found.thin, [0.1, 0.0])
    np.testing.assert_array_equal(found.thick, [0.15, 0.0])
    np.testing.assert_allclose(found.opaque, [0.3, 0.0], atol=1e-15)


@pytest.mark.parametrize(
    ("bins", "message"),
    [([0.6, 0.6], "sum to 1.2"), ([0.5], "two bins"), ([0.5, -0.1], "0 to 1"), ([np.nan, 0.1], "0 to 1")],
)
def test_histogram_refuses(bins: list[float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        fractions_of_bins(bins)


def test_exceedance_of_a_lognormal_sky() -> None:
    # the curve of a known distribution, finely sampled: classes are differences of its distribution function
    sky = lognorm(s=1.5, scale=0.8)
    probability = np.linspace(0.0005, 0.9995, 4000)
    found = fractions_of_exceedance(sky.isf(probability), probability=probability)
    below = sky.cdf(CLASS_CUTS)
    # linear interpolation over steps of 2.5e-4 in probability: curvature leaves some 1e-8
    np.testing.assert_allclose(
        [found.clear, found.thin, found.thick, found.opaque],
        [below[0], below[1] - below[0], below[2] - below[1], 1 - below[2]],
        atol=2e-7,
    )


def test_exceedance_needs_no_more_than_the_curve_around_the_cuts() -> None:
    # on the curve's own points nothing is interpolated; what is thinner than every cut changes nothing
    probability = [0.1, 0.3, 0.5, 0.8]
    curves = np.array([[3.6, 1.3, 0.05, 0.04], [3.6, 1.3, 0.05, 0.0]])
    found = fractions_of_exceedance(curves, probability=probability)
    np.testing.assert_allclose(found.clear, 0.5, rtol=1e-14)
    np.testing.assert_allclose(found.thin, 0.2, rtol=1e-14)
    np.testing.assert_allclose(found.thick, 0.2, rtol=1e-14)


@pytest.mark.parametrize(
    ("curve", "probability", "message"),
    [
        ([5.0, 1.0, 0.1], [0.1, 0.5, 0.9], "does not reach"),
        ([3.0, 1.0, 0.0], [0.1, 0.5, 0.9], "does not reach"),
        ([5.0, 6.0, 0.0], [0.1, 0.5, 0.9], "do not increase"),
        ([5.0, np.nan, 0.0], [0.1, 0.5, 0.9], "do not increase"),
        ([5.0, 1.0, 0.0], [0.1, 0.9, 0.5], "must increase"),
        ([5.0, 1.0, 0.0], [0.1, 0.9], "one thickness for each"),
    ],
)
def test_exceedance_refuses(curve: list[float], probability: list[float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        fractions_of_exceedance(curve, probability=probability)


def test_cuts_must_increase() -> None:
    with pytest.raises(InputError, match="must increase"):
        fractions_of_samples([1.0], cuts=(0.1, 0.1, 3.0))
    with pytest.raises(InputError, match="first cut"):
        fractions_of_exceedance([5.0, 0.0], probability=[0.1, 0.9], cuts=(0.0, 1.0, 3.0))


def test_liquid_water_is_drops_that_block_twice_their_cross_section() -> None:
    # N drops of radius r in a column: mass N 4/3 pi r^3 rho, extinction N 2 pi r^2
    radius_m, drops = 7e-6, 3e11
    water = drops * 4.0 / 3.0 * np.pi * radius_m**3 * 1000.0
    found = float(liquid_water_thickness(water, effective_radius_m=radius_m))
    assert found == pytest.approx(drops * 2.0 * np.pi * radius_m**2, rel=1e-14)
    assert float(liquid_water_thickness(0.1)) == pytest.approx(15.0, rel=1e-14)  # 0.1 kg/m^2 of 10 um drops
    with pytest.raises(InputError, match="liquid water"):
        liquid_water_thickness([0.1, np.nan])
    with pytest.raises(InputError, match="above 0 m"):
        liquid_water_thickness(0.1, effective_radius_m=0.0)


def test_expectation_is_the_mean_over_many_days() -> None:
    days = np.repeat([5.0, 3.0, 2.0, 0.0], [400, 250, 150, 200])  # keys of clear, thin, thick and opaque days
    fractions = SkyFractions(clear=np.array(0.4), thin=np.array(0.25), thick=np.array(0.15))
    found = float(expectation(fractions, clear=5.0, thin=3.0, thick=2.0))
    assert found == pytest.approx(days.mean(), rel=1e-14)
    assert float(expectation(fractions, clear=1.0, thin=1.0, thick=1.0) + fractions.opaque) == pytest.approx(
        1.0, rel=1e-14
    )


@pytest.mark.parametrize("parts", [(0.5, 0.4, 0.2), (-0.1, 0.2, 0.2), (np.nan, 0.1, 0.1)])
def test_what_is_no_set_of_fractions_is_refused(parts: tuple[float, float, float]) -> None:
    with pytest.raises(InputError, match="fractions of clear"):
        SkyFractions(*(np.array(part) for part in parts))
