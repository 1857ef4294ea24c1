"""Two-photon interference against numerical integrals of the fields and of the phases."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from satqkd.detection.two_photon_interference import (
    FWHM_PER_RMS,
    extra_x_basis_error,
    polarisation_overlap,
    temporal_overlap,
    tolerable_delay_s,
    tolerable_frequency_offset_hz,
    visibility,
    weak_pulse_visibility,
    x_basis_error,
)
from satqkd.errors import InputError


def integrated_overlap(fwhm_a, fwhm_b, delay, offset_hz):
    """Overlap integral on a grid; the trapezoidal rule of a Gaussian has no error beyond rounding."""
    t = np.linspace(-30.0, 30.0, 60_001) * 1e-9
    step = t[1] - t[0]
    # amplitudes: their squares have the given full widths
    field_a = np.exp(-2.0 * math.log(2.0) * (t / fwhm_a) ** 2)
    field_b = np.exp(-2.0 * math.log(2.0) * ((t - delay) / fwhm_b) ** 2 + 2j * np.pi * offset_hz * t)
    norm = (field_a**2).sum() * (abs(field_b) ** 2).sum() * step**2
    return float(abs((field_a * field_b).sum() * step) ** 2 / norm)


@pytest.mark.parametrize(
    ("fwhm_a", "fwhm_b", "delay", "offset_hz"),
    [
        (1e-9, 1e-9, 0.0, 0.0),
        (1e-9, 1e-9, 0.3e-9, 0.0),
        (1e-9, 1e-9, 0.0, 2e8),
        (0.5e-9, 2e-9, -0.4e-9, 1e8),
        (2.5e-9, 1e-9, 1e-9, -1.5e8),
    ],
)
def test_overlap_is_the_integral_of_the_fields(fwhm_a, fwhm_b, delay, offset_hz):
    closed = temporal_overlap(fwhm_a_s=fwhm_a, fwhm_b_s=fwhm_b, delay_s=delay, frequency_offset_hz=offset_hz)
    # sums over 60,000 points
    assert closed == pytest.approx(integrated_overlap(fwhm_a, fwhm_b, delay, offset_hz), rel=1e-11)


@pytest.mark.parametrize("kind", ["delay", "frequency"])
def test_jitter_is_an_average_over_a_normal_distribution(kind):
    unit = {"delay": 1e-9, "frequency": 1e9}[kind]
    mean, jitter, pulses = 0.2 * unit, 0.35 * unit, {"fwhm_a_s": 1e-9, "fwhm_b_s": 1.4e-9}
    names = {"delay": ("delay_s", "delay_jitter_s"), "frequency": ("frequency_offset_hz", "frequency_jitter_hz")}[kind]

    def weighted(z):
        weight = math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
        return weight * float(temporal_overlap(**pulses, **{names[0]: mean + z * jitter}))

    average, _ = quad(weighted, -12.0, 12.0, epsabs=0.0, epsrel=1e-11, points=[-1.0, 0.0, 1.0])
    closed = temporal_overlap(**pulses, **{names[0]: mean, names[1]: jitter})
    assert closed == pytest.approx(average, rel=1e-10)  # of the integral


@given(st.floats(-1.0, 1.0), st.floats(0.1, 10.0), st.floats(0.0, 3.0), st.floats(0.0, 3.0))
def test_overlap_scales_with_time_and_depends_on_magnitudes_only(delay, other, offset, jitter):
    def overlap(scale, sign=1.0):
        return temporal_overlap(
            fwhm_a_s=scale, fwhm_b_s=other * scale, delay_s=sign * delay * scale,
            frequency_offset_hz=sign * offset / scale, delay_jitter_s=jitter * scale,
        )  # fmt: skip

    assert 0.0 <= overlap(1.0) <= 1.0
    # rounding of an exponent of up to some hundred
    assert overlap(1e-9) == pytest.approx(float(overlap(1.0)), rel=1e-12, abs=1e-300)
    assert overlap(1.0, -1.0) == pytest.approx(float(overlap(1.0)), rel=1e-15, abs=0.0)


@pytest.mark.parametrize("overlap", [0.5, 0.99, 1.0])
def test_tolerable_differences_invert_the_overlap(overlap):
    pulses = {"fwhm_a_s": 0.7e-9, "fwhm_b_s": 0.7e-9}
    delay = tolerable_delay_s(overlap, fwhm_s=0.7e-9)
    offset = tolerable_frequency_offset_hz(overlap, fwhm_s=0.7e-9)
    assert temporal_overlap(**pulses, delay_s=delay) == pytest.approx(overlap, rel=1e-14)
    assert temporal_overlap(**pulses, frequency_offset_hz=offset) == pytest.approx(overlap, rel=1e-14)


def test_polarisations():
    angle = 0.3
    along_a, along_b = np.array([1.0, 0.0]), np.array([math.cos(angle), math.sin(angle)])
    assert polarisation_overlap(angle) == pytest.approx(float(along_a @ along_b) ** 2, rel=1e-15)
    assert polarisation_overlap([0.0, math.pi / 2]) == pytest.approx([1.0, 0.0], abs=1e-30)  # cos(pi/2) is 6e-17


def coincidences(a, b, overlap, p_dark):
    """Coincidence probability of two threshold detectors by quadrature over the phase."""

    def at_phase(phase):
        interference = math.sqrt(overlap * a * b) * math.cos(phase)
        clicks = [1.0 - (1.0 - p_dark) * math.exp(-(0.5 * (a + b) + sign * interference)) for sign in (1, -1)]
        return clicks[0] * clicks[1] / math.pi

    return quad(at_phase, 0.0, math.pi, epsabs=0.0, epsrel=1e-12)[0]


@pytest.mark.parametrize(
    ("a", "b", "overlap", "p_dark"), [(0.1, 0.1, 1.0, 0.0), (0.5, 0.05, 0.8, 1e-3), (3.0, 2.0, 0.3, 0.1)]
)
def test_visibility_is_the_dip_of_integrated_coincidences(a, b, overlap, p_dark):
    dip = 1.0 - coincidences(a, b, overlap, p_dark) / coincidences(a, b, 0.0, p_dark)
    # the integral's 1e-12, magnified by 1/V
    assert visibility(a, b, mode_overlap=overlap, p_dark=p_dark) == pytest.approx(dip, rel=1e-10)


@given(st.floats(0.01, 100.0), st.floats(0.0, 1.0))
def test_weak_pulses_are_the_limit_and_errors_follow_the_visibility(ratio, overlap):
    weak = float(weak_pulse_visibility(ratio, mode_overlap=overlap))
    assert 0.0 <= weak <= 0.5
    a = 1e-9
    # the next order is relatively of the size of the detected photon numbers, here up to 1e-7
    assert visibility(a, ratio * a, mode_overlap=overlap) == pytest.approx(weak, rel=1e-6)
    assert x_basis_error(a, ratio * a, mode_overlap=overlap) == pytest.approx((1.0 - weak) / 2.0, rel=1e-6)
    extra = (1.0 - overlap) * (1.0 - 2.0 * 0.015) * ratio / (1.0 + ratio) ** 2
    found = extra_x_basis_error(a, ratio * a, mode_overlap=overlap, misalignment=0.015)
    assert found == pytest.approx(extra, rel=1e-6, abs=1e-7)  # a difference of errors of 1/4 to 1/2


def test_uncompensated_doppler_leaves_no_interference():
    """9 GHz against 1-ns pulses, the published shift of one uplink at 780 nm."""
    overlap = temporal_overlap(fwhm_a_s=1e-9, fwhm_b_s=1e-9, frequency_offset_hz=9e9)
    sigma = 1e-9 / FWHM_PER_RMS
    assert math.log(float(overlap)) == pytest.approx(-((2 * math.pi * 9e9 * sigma) ** 2), rel=1e-12)
    assert x_basis_error(1e-4, 1e-4, mode_overlap=overlap) == pytest.approx(0.5, abs=1e-8)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: temporal_overlap(fwhm_a_s=0.0, fwhm_b_s=1e-9), "fwhm_a_s = 0.0: must be finite and above 0"),
        (
            lambda: temporal_overlap(fwhm_a_s=1e-9, fwhm_b_s=1e-9, delay_jitter_s=-1e-12),
            "delay_jitter_s = -1e-12: must be finite and at least 0",
        ),
        (
            lambda: temporal_overlap(fwhm_a_s=1e-9, fwhm_b_s=1e-9, delay_s=math.nan),
            "delay_s = nan: must be finite and at least 0",
        ),
        (lambda: visibility(0.0, 0.0), "without coincidences there is no visibility"),
        (lambda: x_basis_error(0.0, 0.0), "nothing is detected, so there is no error rate"),
        (lambda: visibility(25.0, 0.1), "detected_a = 25.0: must be finite and at least 0 and at most 20"),
        (
            lambda: weak_pulse_visibility(1.0, mode_overlap=1.1),
            "mode_overlap = 1.1: must be finite and at least 0 and at most 1",
        ),
        (
            lambda: tolerable_delay_s(0.0, fwhm_s=1e-9),
            "mode_overlap = 0.0: must be finite and above 0 and at most 1",
        ),
    ],
)
def test_bad_input_is_one_clear_line(call, message):
    with pytest.raises(InputError, match=f"{message}$") as caught:
        call()
    assert "\n" not in str(caught.value)
