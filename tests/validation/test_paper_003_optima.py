"""Optimised passes of Sidhu et al., npj Quantum Inf. 8, 18 (2022): zenith optima, Table II, Fig. 7.

Reference numbers named "published conventions" were made with the code published with the paper: the decoy bounds and
sampling correction of Lim et al. 2014, error correction ``satquma``. The sound defaults stand beside each of them.
"""

from __future__ import annotations

import functools

import pytest

from satqkd.security import lim2014
from satqkd.security.optimise import Optimum
from satqkd.study import reproduce_003
from satqkd.study.overpasses import BASELINE, OffsetKeys, annual_key, keys_over_offsets, overpass, pass_key

PUBLISHED = {"sampling": "lim2014", "leakage": "satquma"}
WITHOUT_FLOOR = {"sampling": "lim2014", "leakage": "published"}
EXTRA_DB = {27: 0.0, 30: 3.0, 33: 6.0, 37: 10.0, 40: 13.0}


def zenith(system_db: int, **options: object) -> Optimum:
    return pass_key(0.0, extra_loss_db=EXTRA_DB[system_db], **options)


@functools.cache
def offsets(system_db: int, analysis: str, options: tuple[tuple[str, str], ...]) -> OffsetKeys:
    return keys_over_offsets(analysis=analysis, extra_loss_db=EXTRA_DB[system_db], **dict(options))


# reference optimum, the half window it belongs to (they were computed for a few windows only), the best window's key
# with the same conventions, and with the sound defaults
ZENITH = {
    27: (5.797e6, 221.0, 5797390, 5764654),
    30: (2.511e6, 221.0, 2511228, 2491772),
    33: (9.889e5, 220.0, 989125, 979040),
    37: (2.102e5, 140.0, 210504, 207034),
    40: (3.86e4, 97.0, 38561, 37431),
}


@pytest.mark.parametrize("system_db", ZENITH)
def test_zenith_optima(system_db: int) -> None:
    reference, half_window_s, best_bits, sound_bits = ZENITH[system_db]
    time_s, eta = overpass(0.0, extra_loss_db=EXTRA_DB[system_db])
    at_reference = zenith(system_db, half_window_s=half_window_s, **PUBLISHED)
    half_digit = {27: 500.0, 30: 500.0, 33: 50.0, 37: 50.0, 40: 50.0}[system_db]
    # the reference's rounding, and 1e-4 for the optimiser
    assert at_reference.key.key_bits_raw == pytest.approx(reference, abs=half_digit + 1e-4 * reference)
    found = zenith(system_db, **PUBLISHED)
    assert found.converged
    assert found.key.key_bits >= at_reference.key.key_bits  # a finer choice of windows
    assert found.key.key_bits == pytest.approx(best_bits, rel=1e-6)  # of this implementation, all digits stable
    sound = zenith(system_db)
    assert sound.key.key_bits == pytest.approx(sound_bits, rel=2e-4)  # steps of the exact sampling bound
    # the number reported is the exact one, of the slots within the window
    inside = abs(time_s) <= sound.parameters["half_window_s"]
    setting = {k: v for k, v in sound.parameters.items() if k != "half_window_s"}
    assert lim2014.key_length(eta[inside], **BASELINE, **setting).key_bits == sound.key.key_bits


def test_slots_of_the_zenith_pass() -> None:
    time_s, eta = overpass(0.0)
    assert (time_s.size, time_s[0]) == (443, -221.0)  # 10 degrees
    assert eta.max() == pytest.approx(2e-3, rel=1e-12)  # the curve's own value
    offside, eta = overpass(800e3)
    assert offside.size < 443
    assert eta.max() < 2e-3


TABLE_II = {27: (3.74e12, 1.019, 0.983), 30: (1.52e12, 1.029, 0.9815), 33: (5.40e11, 1.029, 0.9585),
            37: (8.75e10, 1.010, 0.894), 40: (1.13e10, 1.0195, 0.810)}  # fmt: skip


@pytest.mark.parametrize("system_db", TABLE_II)
def test_table_2(system_db: int) -> None:
    """The printed integrals, read as one-sided and with the published leakage without floor."""
    printed, ratio, sound_ratio = TABLE_II[system_db]
    keys = offsets(system_db, "lim2014", tuple(WITHOUT_FLOOR.items()))
    assert keys.integral_bit_m / printed == pytest.approx(1.0, abs=0.03)  # the printed digits, unknown grid and window
    assert keys.integral_bit_m / printed == pytest.approx(ratio, abs=0.003)  # of this implementation
    sound = offsets(system_db, "lim2014", ())
    assert sound.integral_bit_m / printed == pytest.approx(sound_ratio, abs=0.003)  # of this implementation


def test_table_2_per_year() -> None:
    keys = offsets(37, "lim2014", tuple(WITHOUT_FLOOR.items()))
    one_sided = annual_key(keys, latitude_deg=55.9, sides=1)
    # 2.44e-4 per metre, rounded; the circle is 2.244e7 m, the paper takes 2.25e7 m
    assert one_sided / keys.integral_bit_m == pytest.approx(2.44e-4, rel=5e-3)
    assert one_sided == pytest.approx(0.0214e9, rel=0.03)  # printed value, as above
    assert annual_key(keys, latitude_deg=55.9) == pytest.approx(2.0 * one_sided, rel=1e-12)  # Eq. 5's factor
    equator = annual_key(keys, latitude_deg=0.0)
    assert annual_key(keys, latitude_deg=-60.0) == pytest.approx(2.0 * equator, rel=1e-9)  # half the circle


@pytest.mark.parametrize(("system_db", "printed", "sound"), [(37, 0.86, 0.867), (40, 1.82, 1.90)])
def test_biased_over_symmetric_protocol(system_db: int, printed: float, sound: float) -> None:
    def gain(options: dict[str, str]) -> float:
        biased, symmetric = (
            offsets(system_db, name, tuple(options.items())).integral_bit_m for name in ("lim2014", "lim2014-standard")
        )
        return biased / symmetric - 1.0

    assert gain(PUBLISHED) == pytest.approx(printed, abs=0.01)  # one percentage point
    assert gain({}) == pytest.approx(sound, abs=0.01)  # of this implementation


FIG_5 = {27: (18.82, 19.12), 30: (13.37, 13.53), 33: (3.58, 3.58)}


@pytest.mark.parametrize("system_db", FIG_5)
def test_figure_5_comes_out_without_the_cap_on_errors(system_db: int) -> None:
    """Area lost to the limit of 10 deg, with the printed formulas, which do not cap the errors of single photons."""
    printed, ours = FIG_5[system_db]
    limited, whole = (reproduce_003._area_without_cap(float(system_db), limit) for limit in (10.0, 0.0))
    lost = 100.0 * (1.0 - limited / whole)
    assert lost == pytest.approx(ours, abs=0.01)  # all digits written down
    assert lost == pytest.approx(printed, abs=0.31)  # percentage points; the grids of the paper are not known
    assert limited == pytest.approx(0.79 * TABLE_II[system_db][0], rel=0.03)  # but Table II needs the cap
