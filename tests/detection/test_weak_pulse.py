"""Weak pulses on threshold detectors: photon-number sums and explicit loops as oracles."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

from satqkd.detection import weak_pulse as wp
from satqkd.errors import InputError

REL = 1e-14  # a handful of double-precision operations on positive terms


def _poisson_average(mu: float, of_photons: object) -> mp.mpf:
    return mp.nsum(lambda i: mp.exp(-mu) * mp.mpf(mu) ** i / mp.factorial(i) * of_photons(i), [0, 60])


@pytest.mark.parametrize("eta", [0.0, 1e-12, 3e-4, 0.3, 1.0])
@pytest.mark.parametrize("mu", [0.08, 0.5])
@pytest.mark.parametrize("channel", ["standard", "full"])
def test_gain_and_errors_are_averages_over_photon_numbers(eta: float, mu: float, channel: str) -> None:
    y0, e_d, e0 = 3e-6, 0.015, 0.5
    with mp.workdps(40):
        lost = 1 - mp.mpf(eta)
        if channel == "full":
            gain = _poisson_average(mu, lambda i: 1 - (1 - mp.mpf(y0)) * lost**i)
        else:
            gain = _poisson_average(mu, lambda i: mp.mpf(y0) + 1 - lost**i)
        errors = _poisson_average(mu, lambda i: e0 * mp.mpf(y0) + e_d * (1 - lost**i))
    assert float(wp.decoy_gain(eta, mu=mu, y0=y0, channel=channel)) == pytest.approx(float(gain), rel=REL)
    assert float(wp.decoy_error_gain(eta, mu=mu, y0=y0, misalignment=e_d)) == pytest.approx(float(errors), rel=REL)
    qber = float(wp.decoy_qber(eta, mu=mu, y0=y0, misalignment=e_d, channel=channel))
    assert qber == pytest.approx(float(errors / gain), rel=REL)


def test_qber_limits() -> None:
    assert float(wp.decoy_qber(0.0, mu=0.5, y0=0.0, misalignment=0.015)) == 0.5
    assert float(wp.decoy_qber(0.0, mu=0.5, y0=1e-6, misalignment=0.015)) == 0.5
    assert float(wp.decoy_qber(1e-3, mu=0.5, y0=0.0, misalignment=0.015)) == pytest.approx(0.015, rel=REL)


def test_standard_and_full_gain_differ_by_the_coincidences() -> None:
    eta, mu, y0 = 0.4, 0.5, 1e-3
    standard, full = (float(wp.decoy_gain(eta, mu=mu, y0=y0, channel=name)) for name in ("standard", "full"))
    # the subtraction leaves 1e-16/2e-4 of rounding
    assert standard - full == pytest.approx(y0 * (1.0 - np.exp(-eta * mu)), rel=1e-11)


@pytest.mark.parametrize("eta", [0.0, 1e-15, 2e-3, 0.9])
def test_detection_and_error_probability_in_extended_precision(eta: float) -> None:
    mu, p_ec, p_ap, qber = 0.7, 5e-7, 1e-3, 0.005
    with mp.workdps(40):
        light = 1 - mp.exp(-mp.mpf(mu) * mp.mpf(eta))
        detection = (1 + mp.mpf(p_ap)) * (1 - (1 - 2 * mp.mpf(p_ec)) * (1 - light))
        error = mp.mpf(p_ec) + mp.mpf(p_ap) * detection / 2 + mp.mpf(qber) * light
    found = wp.detection_probability(eta, intensity=mu, p_extraneous=p_ec, p_afterpulse=p_ap)
    assert float(found) == pytest.approx(float(detection), rel=REL)
    found = wp.error_probability(eta, intensity=mu, p_extraneous=p_ec, qber_intrinsic=qber, p_afterpulse=p_ap)
    assert float(found) == pytest.approx(float(error), rel=REL)


MODEL = {
    "pulses_per_slot": 1e8,
    "intensities": (0.7, 0.15, 0.0),
    "intensity_probabilities": (0.7, 0.2, 0.1),
    "p_key_basis": 0.8,
    "p_extraneous": 5e-7,
    "qber_intrinsic": 0.005,
    "p_afterpulse": 1e-3,
}


def test_counts_equal_explicit_loops() -> None:
    eta = [1e-4, 2e-3, 0.0, 5e-4]
    counts = wp.expected_counts(eta, **MODEL)
    mus, ps = MODEL["intensities"], MODEL["intensity_probabilities"]
    n_key, n_test, m_key, m_test = ([0.0] * 3 for _ in range(4))
    for t in eta:
        d = [1.001 * (1 - (1 - 1e-6) * np.exp(-mu * t)) for mu in mus]
        e = [5e-7 + 1e-3 * x / 2 + 0.005 * (1 - np.exp(-mu * t)) for x, mu in zip(d, mus, strict=True)]
        ratio = sum(p * x for p, x in zip(ps, e, strict=True)) / sum(p * x for p, x in zip(ps, d, strict=True))
        for k in range(3):
            n_key[k] += 1e8 * 0.8**2 * ps[k] * d[k]
            n_test[k] += 1e8 * 0.2**2 * ps[k] * d[k]
            m_key[k] += 1e8 * 0.8**2 * ps[k] * e[k]
            m_test[k] += 1e8 * 0.2**2 * ps[k] * d[k] * ratio
    for ours, loop in zip(
        (counts.n_key, counts.n_test, counts.m_key, counts.m_test), (n_key, n_test, m_key, m_test), strict=True
    ):
        assert ours == pytest.approx(loop, rel=1e-9)  # the loop's 1 - (1 - 1e-6) loses ten digits


def test_splitting_the_test_errors_keeps_their_number() -> None:
    counts = wp.expected_counts(np.geomspace(1e-5, 1e-2, 50), **MODEL)
    assert sum(counts.m_test) == pytest.approx(sum(counts.m_key) * (0.2 / 0.8) ** 2, rel=1e-12)


def test_counts_add_over_slots_and_passes() -> None:
    eta = np.geomspace(1e-5, 1e-2, 7)
    whole = wp.expected_counts(eta, **MODEL)
    first, second = wp.expected_counts(eta[:3], **MODEL), wp.expected_counts(eta[3:], **MODEL)
    assert whole.n_key == pytest.approx(np.add(first.n_key, second.n_key), rel=1e-13)
    assert whole.m_test == pytest.approx(np.add(first.m_test, second.m_test), rel=1e-13)
    assert wp.expected_counts(eta, passes=10, **MODEL).n_test == pytest.approx(whole.scaled(10.0).n_test, rel=1e-13)


def test_per_slot_pulses_background_and_errors() -> None:
    eta = [1e-3, 2e-4]
    each = [
        wp.expected_counts([t], **(MODEL | {"pulses_per_slot": n, "p_extraneous": p, "qber_intrinsic": q}))
        for t, n, p, q in zip(eta, (1e8, 5e7), (1e-7, 1e-6), (0.01, 0.02), strict=True)
    ]
    together = wp.expected_counts(
        eta,
        **(MODEL | {"pulses_per_slot": [1e8, 5e7], "p_extraneous": [1e-7, 1e-6], "qber_intrinsic": [0.01, 0.02]}),
    )
    for field in ("n_key", "n_test", "m_key", "m_test"):
        expected = np.add(getattr(each[0], field), getattr(each[1], field))
        assert getattr(together, field) == pytest.approx(expected, rel=1e-13)


def test_no_light_and_no_noise_gives_no_counts() -> None:
    silent = MODEL | {"p_extraneous": 0.0, "qber_intrinsic": 0.0, "p_afterpulse": 0.0}
    for eta in ([], [0.0, 0.0]):
        counts = wp.expected_counts(eta, **silent)
        assert counts.n_key == counts.m_test == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"p_key_basis": 1.0}, "p_key_basis"),
        ({"p_key_basis": float("nan")}, "p_key_basis"),
        ({"p_extraneous": -1e-9}, "p_extraneous"),
        ({"qber_intrinsic": 0.6}, "qber_intrinsic"),
        ({"qber_intrinsic": float("nan")}, "qber_intrinsic"),
        ({"p_afterpulse": 1.0}, "p_afterpulse"),
        ({"pulses_per_slot": float("inf")}, "pulses_per_slot"),
        ({"pulses_per_slot": [1e8, 1e8, 1e8]}, "pulses_per_slot"),
        ({"passes": 0}, "passes"),
        ({"passes": 1.5}, "passes"),
        ({"p_afterpulse": 0.9, "intensities": (5.0, 0.1, 0.0)}, "detections per pulse"),
    ],
)
def test_bad_input_is_named(change: dict[str, object], named: str) -> None:
    with pytest.raises(InputError, match=named):
        wp.expected_counts([0.5, 1.0], **(MODEL | change))


@pytest.mark.parametrize("eta", [-1e-9, 1.0001, float("nan"), float("inf")])
def test_bad_transmittance_is_named(eta: float) -> None:
    with pytest.raises(InputError, match="transmittance"):
        wp.expected_counts([1e-3, eta], **MODEL)
