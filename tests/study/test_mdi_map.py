"""Maps of finite MDI-QKD keys: single optimisations, order along every axis, the choice of the best part of a pass."""

from __future__ import annotations

import numpy as np
import pytest

from satqkd.errors import InputError
from satqkd.security.mdi_optimise import optimise_keys
from satqkd.study.mdi_map import finite_key_map, largest_loss_db, plot_finite_key_map

AXES = {"loss_db": [20.0, 24.0, 28.0, 32.0, 36.0], "p_dark": [1e-8, 1e-6], "pulse_rate_hz": [1e9, 4e9]}


@pytest.fixture(scope="module")
def found():
    return finite_key_map(**AXES, duration_s=266.0, shares=(1.0,))


def test_points_are_single_optimisations(found):
    eta = 10.0 ** (-0.05 * 28.0)
    plan = optimise_keys(eta, eta, pulses_per_s=4e9, step_s=266.0, p_dark=1e-6, misalignment=0.015)
    point = found.sel(loss=28.0, p_dark=1e-6, pulse_rate=4e9)
    # whole numbers of errors, and where a search from a neighbour ends
    assert float(point.key_bits) == pytest.approx(plan.total_bits, rel=1e-3)
    assert float(point.p_z) == pytest.approx(plan.p_z[0], rel=0.02)


def test_keys_fall_with_loss_and_dark_counts_and_grow_with_the_source(found):
    keys = found.key_bits
    assert bool((keys.diff("loss") <= 0.0).all())
    assert bool((keys.diff("p_dark") <= 0.0).all())
    assert bool((keys.diff("pulse_rate") >= 0.0).all())
    assert float(keys.max()) > 0.0 == float(keys.min())
    assert bool((found.p_z.isnull() == (keys == 0.0)).all())
    reach = largest_loss_db(found)
    assert bool((keys.sel(loss=reach) > 0.0).all())
    assert bool((largest_loss_db(found, key_bits=1e5) < reach).any())


def test_the_best_part_of_a_pass_and_the_shift_to_its_best_instant():
    near, far = np.array([0.0, 10.0, 10.0, 0.0]), np.array([45.0, 10.0, 10.0, 45.0])
    axes = {"loss_db": [22.0], "p_dark": [1e-7], "pulse_rate_hz": [1e9]}
    both = finite_key_map(**axes, excess_a_db=near, excess_b_db=far, shares=(1.0, 0.5))
    half = finite_key_map(**axes, duration_s=133.0, shares=(1.0,))
    assert both.share.item() == 0.5
    assert both.key_bits.item() == pytest.approx(half.key_bits.item(), rel=1e-3)  # whole numbers of errors


def test_figure_has_one_field_per_source(found):
    figure = plot_finite_key_map(found)
    assert [axes.get_title(loc="left") for axes in figure.axes[:2]] == ["1 GHz", "4 GHz"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loss_db": []}, "loss: a map needs at least one value"),
        ({"loss_db": [30.0, 20.0]}, "loss_db: must be ascending and not negative"),
        ({"loss_db": [-1.0]}, "loss_db: must be ascending and not negative"),
        ({"duration_s": 0.0}, "duration_s = 0.0: must be above 0"),
        ({"shares": ()}, "shares = (): must be above 0 and at most 1"),
        ({"shares": (2.0,)}, "shares = (2.0,): must be above 0 and at most 1"),
        ({"pulse_rate_hz": [0.0]}, "pulses_per_s = 0.0: must give between 1 and"),
        ({"p_dark": [0.7]}, "p_dark = 0.7: must be between 0 and 0.5"),
    ],
)
def test_bad_input_is_one_clear_line(change, message):
    with pytest.raises(InputError) as caught:
        finite_key_map(**{**AXES, **change})
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="key_bits = 0: must be above 0"):
        largest_loss_db(None, key_bits=0)
