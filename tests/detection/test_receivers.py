"""Click statistics against a sum over all 16 click patterns in 40-digit arithmetic."""

from __future__ import annotations

from itertools import product

import mpmath as mp
import pytest

from satqkd.detection.receivers import arm_noise, expected_counts
from satqkd.errors import InputError

SOURCE = {"intensities": (0.6, 0.2, 0.0), "intensity_probabilities": (0.7, 0.2, 0.1)}
LOSSES = [1e-6, 1e-4, 1e-2, 0.5]


def silent(mean: object, noise: float, after: object) -> object:
    return (1 - mp.mpf(noise)) * mp.exp(-mean) * after


def outcome(
    receiver: str,
    basis: str,
    mu: float,
    eta: float,
    s: float,
    noise: dict[str, float],
    e: float,
    ap: float,
    *,
    matched: bool,
):
    """(gain, error, multi-click) of a pulse prepared in ``basis``, from the pattern probabilities."""
    share = {"z": 1 - mp.mpf(s), "x": mp.mpf(s)} if receiver != "active" else {"z": mp.mpf(1), "x": mp.mpf(1)}
    arms = ("z", "x") if receiver != "active" else (basis,)
    quiet = {}
    for arm in arms:
        light = mp.mpf(eta) * mp.mpf(mu) * share[arm]
        clicked = 1 - (1 - mp.mpf(noise[arm])) ** 2 * mp.exp(-light)
        right = 1 - mp.mpf(e) if arm == basis or not matched else mp.mpf("0.5")
        for bit, part in ((0, right), (1, 1 - right)):
            quiet[arm, bit] = silent(light * part, noise[arm], 1 - clicked * mp.mpf(ap))
    gain = error = multi = mp.mpf(0)
    for pattern in product((0, 1), repeat=len(quiet)):
        p = mp.mpf(1)
        clicks = []
        for (place, q), click in zip(quiet.items(), pattern, strict=True):
            p *= (1 - q) if click else q
            clicks += [place] if click else []
        own, other = [c for c in clicks if c[0] == basis], [c for c in clicks if c[0] != basis]
        multi += p if len(clicks) > 1 else 0
        if other or not own or (receiver == "asymmetric-passive" and len(own) > 1):
            continue
        gain += p
        error += p / 2 if len(own) == 2 else p * (own[0][1] == 1)
    return gain, error, multi


@pytest.mark.parametrize("eta", LOSSES)
@pytest.mark.parametrize("receiver", ["active", "asymmetric-passive", "symmetric-passive"])
@pytest.mark.parametrize("multi_click", ["published", "matched"])
def test_counts_are_the_sum_over_click_patterns(receiver: str, eta: float, multi_click: str) -> None:
    noise = {"z": 3e-8, "x": 1e-8} if receiver == "asymmetric-passive" else {"z": 2e-8, "x": 2e-8}
    s, r, e, ap, px, n = (0.3 if receiver == "asymmetric-passive" else 0.5), 0.2, 0.01, 0.02, 0.25, 1e10
    found = expected_counts(
        eta, receiver=receiver, pulses=n, p_test_basis=px, noise_z=noise["z"], noise_x=noise["x"], misalignment=e,
        p_afterpulse=ap, split=s, disclosure=r, multi_click=multi_click, **SOURCE,
    )  # fmt: skip
    weight = {
        "active": ((1 - px) ** 2, px**2),
        "asymmetric-passive": (1 - px, px),
        "symmetric-passive": ((1 - px) * (1 - r), px * r),
    }[receiver]
    with mp.workdps(40):
        total = mp.mpf(0)
        for k, (mu, p) in enumerate(zip(*SOURCE.values(), strict=True)):
            for basis, w, gains, errors in (
                ("z", weight[0], found.n_key, found.m_key),
                ("x", weight[1], found.n_test, found.m_test),
            ):
                # gain and error do not depend on how the other arm divides its light
                gain, error, multi = outcome(
                    receiver, basis, mu, eta, s, noise, e, ap, matched=multi_click == "matched"
                )
                assert gains[k] == pytest.approx(float(n * p * w * gain), rel=1e-13)
                assert errors[k] == pytest.approx(float(n * p * w * error), rel=1e-13)
                total += n * p * (1 - px if basis == "z" else px) * multi
        if receiver == "asymmetric-passive":
            if multi_click == "published":  # as if every pulse were matched: the same for both bases
                total = n * sum(
                    p * outcome(receiver, "z", mu, eta, s, noise, e, ap, matched=False)[2]
                    for mu, p in zip(*SOURCE.values(), strict=True)
                )
            assert found.multi_clicks == pytest.approx(float(total), rel=1e-12)


def test_received_light_is_divided_and_dark_counts_are_not() -> None:
    z, x = arm_noise("asymmetric-passive", p_noise=1e-6, split=0.3, p_dark=1e-7)
    # small probabilities add: dark counts stay, the rest is shared; second order is 1e-12
    assert z == pytest.approx(1e-7 + 0.7 * 9e-7, rel=0.0, abs=2e-12)
    assert x == pytest.approx(1e-7 + 0.3 * 9e-7, rel=0.0, abs=2e-12)
    assert arm_noise("active", p_noise=1e-6) == (1e-6, 1e-6)
    assert arm_noise("symmetric-passive", noise="per-detector", p_noise=1e-6) == (1e-6, 1e-6)
    assert arm_noise("asymmetric-passive", p_noise=1e-6, p_noise_z=0.0, p_noise_x=0.5) == (0.0, 0.5)


def test_unknown_names_are_refused() -> None:
    given = {"pulses": 1.0, "p_test_basis": 0.5, "noise_z": 0.0, "noise_x": 0.0, "misalignment": 0.0, **SOURCE}
    with pytest.raises(InputError, match="receiver"):
        expected_counts(0.1, receiver="none", **given)
    with pytest.raises(InputError, match="multi_click"):
        expected_counts(0.1, receiver="active", multi_click="none", **given)
