"""Asymptotic decoy BB84: 50-digit evaluation, the limit of infinitely many decoys, the repeaterless bound."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

from satqkd.errors import InputError
from satqkd.security import gllp

PAPER = {"mu": 0.5, "nu": 0.08, "y0": 3e-6, "misalignment": 0.015, "f_ec": 1.16, "sifting": 0.5}  # Wang et al. table 1


def _h(x: mp.mpf) -> mp.mpf:
    return mp.mpf(0) if x in (0, 1) else -x * mp.log(x, 2) - (1 - x) * mp.log(1 - x, 2)


def _reference(
    eta: float, mu: float, nu: float, y0: float, misalignment: float, f_ec: float, sifting: float, channel: str
) -> tuple:
    """The printed formulas (Ma et al. 2005, vacuum + weak decoy; GLLP), evaluated as printed."""
    eta, mu, nu, y0, e_d, e0 = (mp.mpf(x) for x in (eta, mu, nu, y0, misalignment, 0.5))

    def gain(x: mp.mpf) -> mp.mpf:
        return 1 - (1 - y0) * mp.exp(-eta * x) if channel == "full" else y0 + 1 - mp.exp(-eta * x)

    def error(x: mp.mpf) -> mp.mpf:
        return e0 * y0 + e_d * (1 - mp.exp(-eta * x))

    weak = gain(nu) * mp.exp(nu) - gain(mu) * mp.exp(mu) * nu**2 / mu**2 - (mu**2 - nu**2) / mu**2 * y0
    y1 = mu / (mu * nu - nu**2) * weak
    e1 = min((error(nu) * mp.exp(nu) - e0 * y0) / (y1 * nu), mp.mpf(0.5))
    qber = error(mu) / gain(mu)
    rate = sifting * (y1 * mu * mp.exp(-mu) * (1 - _h(e1)) - f_ec * gain(mu) * _h(qber))
    return rate, y1, e1, qber


@pytest.mark.parametrize("eta", [1e-7, 1e-5, 4e-5, 1e-3, 0.1, 1.0])
@pytest.mark.parametrize("change", [{}, {"nu": 1e-3}, {"y0": 1e-8, "misalignment": 0.0}, {"mu": 0.8, "nu": 0.2}])
@pytest.mark.parametrize("channel", ["standard", "full"])
def test_matches_the_printed_formulas_in_50_digits(eta: float, change: dict[str, float], channel: str) -> None:
    parameters = PAPER | change | {"channel": channel}
    with mp.workdps(50):
        rate, y1, e1, qber = _reference(eta, **parameters)
    found = gllp.evaluate(eta, **parameters)
    # single-photon yield: two positive sums of O(eta + y0) are subtracted, one much larger than the other
    assert float(found.y1) == pytest.approx(float(y1), rel=1e-12)
    assert float(found.e1) == pytest.approx(float(e1), rel=1e-12)
    assert float(found.qber) == pytest.approx(float(qber), rel=1e-13)
    # the rate is a difference: tolerance relative to its larger part
    assert float(found.rate_raw) == pytest.approx(float(rate), abs=1e-12 * float(found.gain))
    assert float(found.rate) == max(float(found.rate_raw), 0.0)


def test_weak_decoy_tends_to_infinitely_many_decoys() -> None:
    eta, y0, e_d = 1e-3, 3e-6, 0.015
    exact = y0 + eta
    limit = gllp.evaluate(eta, **(PAPER | {"nu": 0.0}))
    assert float(limit.y1) == pytest.approx(exact, rel=1e-14)
    assert float(limit.e1) == pytest.approx((0.5 * y0 + e_d * eta) / exact, rel=1e-14)
    gaps = [1.0 - float(gllp.evaluate(eta, **(PAPER | {"nu": nu})).y1) / exact for nu in (1e-3, 1e-4)]
    assert gaps[0] / gaps[1] == pytest.approx(10.0, rel=0.01)  # the gap is linear in nu, next order nu^2
    # and the key rate of the limit is the largest of all decoys
    rates = [float(gllp.key_rate(eta, **(PAPER | {"nu": nu}))) for nu in (0.0, 1e-3, 0.02, 0.08, 0.2)]
    assert rates == sorted(rates, reverse=True)


def test_bounds_are_on_the_safe_side_of_the_channel() -> None:
    eta = np.geomspace(1e-6, 1.0, 60)
    found = gllp.evaluate(eta, **PAPER)
    truth = gllp.evaluate(eta, **(PAPER | {"nu": 0.0}))
    assert np.all(found.y1 <= truth.y1)
    assert np.all(found.e1 >= truth.e1)


def test_never_beats_the_repeaterless_bound() -> None:
    eta = np.geomspace(1e-8, 0.999, 200)
    ideal = gllp.key_rate(eta, mu=0.999, nu=0.0, y0=0.0, misalignment=0.0, f_ec=1.0, sifting=1.0)
    assert np.all(ideal > 0.0)
    assert np.all(ideal <= -np.log2(1.0 - eta))


def test_is_monotone_in_loss_noise_and_errors_and_never_negative() -> None:
    eta = np.geomspace(1e-8, 0.5, 300)
    rate = gllp.key_rate(eta, **PAPER)
    assert np.all(np.diff(rate) >= 0.0)
    assert rate[0] == 0.0
    assert np.all(np.isfinite(rate))
    assert np.all(gllp.key_rate(eta, **(PAPER | {"y0": 1e-5})) <= rate)
    assert np.all(gllp.key_rate(eta, **(PAPER | {"misalignment": 0.03})) <= rate)
    assert np.all(gllp.key_rate(eta, **(PAPER | {"f_ec": 1.3})) <= rate)


def test_small_transmittance_scales_linearly_without_background() -> None:
    rate = gllp.key_rate([1e-15, 1e-12], **(PAPER | {"y0": 0.0}))
    assert rate[1] / rate[0] == pytest.approx(1000.0, rel=1e-11)


def test_no_light_no_key() -> None:
    for y0 in (0.0, 1e-6):
        found = gllp.evaluate([0.0], **(PAPER | {"y0": y0}))
        assert found.rate.tolist() == [0.0]
        assert found.qber.tolist() == [0.5]
    assert gllp.key_rate([], **PAPER).shape == (0,)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"mu": 0.05}, "mu > nu"),
        ({"nu": -0.1}, "mu > nu"),
        ({"mu": float("nan")}, "mu > nu"),
        ({"y0": 1.1}, "y0"),
        ({"misalignment": 0.6}, "misalignment"),
        ({"f_ec": 0.9}, "f_ec"),
        ({"f_ec": float("inf")}, "f_ec"),
        ({"sifting": 2.0}, "sifting"),
        ({"e0": -0.1}, "e0"),
    ],
)
def test_bad_input_is_named(change: dict[str, float], named: str) -> None:
    with pytest.raises(InputError, match=named):
        gllp.key_rate(1e-3, **(PAPER | change))


@pytest.mark.parametrize("eta", [-0.1, 1.1, float("nan")])
def test_bad_transmittance_is_named(eta: float) -> None:
    with pytest.raises(InputError, match="transmittance"):
        gllp.key_rate([1e-3, eta], **PAPER)


@pytest.mark.parametrize("nu", [0.0, 0.08])
@pytest.mark.parametrize("channel", ["standard", "full"])
def test_a_background_per_slot_is_each_slots_own_bit_for_bit(nu: float, channel: str) -> None:
    eta, y0 = np.array([1e-3, 1e-4, 1e-5, 0.0]), np.array([1e-9, 3e-6, 1e-5, 0.0])
    options = {**PAPER, "nu": nu, "channel": channel}
    together = gllp.key_rate(eta, **{**options, "y0": y0})
    alone = [float(gllp.key_rate(one, **{**options, "y0": float(own)})) for one, own in zip(eta, y0, strict=True)]
    np.testing.assert_array_equal(together, alone)
    assert together[0] > 0.0


@pytest.mark.parametrize("bad", [-1e-9, 1.5, np.nan])
def test_a_bad_background_in_one_slot_is_refused(bad: float) -> None:
    with pytest.raises(InputError, match=r"y0 = .*: must be finite and between 0 and 1"):
        gllp.key_rate([1e-3, 1e-3], **{**PAPER, "y0": [1e-6, bad]})
