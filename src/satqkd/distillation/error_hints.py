"""Error rate that a packet is expected to have before anything of it is revealed, to begin with the right code.

What is expected decides how much is revealed, and costs nothing itself: it follows from what is public already.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from satqkd.distillation.packets import Packet

__all__ = ["Expected", "expected_rates", "qber_hint", "trend"]

_LEAST_CHANGE: Final = 0.05
"""Relative change that is always thought possible: what packets of 1 % scatter by chance, and a little more."""

_WITHIN: Final = 0.3
"""Packets of a block differ from their mean by this share of the change that is thought possible between blocks."""

_SURPRISE: Final = 3.0
"""Standard deviations above what is expected from which a packet's own hint is believed: the Moon in view."""


class Expected(NamedTuple):
    """An error rate and its standard deviation."""

    rate: float
    deviation: float

    def with_(self, other: Expected) -> Expected:
        """Mean of both, each with the inverse of its variance."""
        own, its = self.deviation**-2, other.deviation**-2
        return Expected((own * self.rate + its * other.rate) / (own + its), (own + its) ** -0.5)


def qber_hint(packet: Packet, source: Mapping[str, Any]) -> Expected | None:
    r"""Error rate of a packet's signals as its disclosed bits tell it, and its standard deviation.

    Parameters
    ----------
    packet : Packet
        Counts of disclosed bits.
    source : mapping
        ``intensities`` and ``intensity_probabilities``.

    Returns
    -------
    Expected or None
        From the sample if there is one, else from decoy and vacuum pulses, whose errors per pulse
        :math:`r_k = m_k/p_k` are linear in the intensity:
        :math:`r_0 + (r_1 - r_0)(\mu_\mu-\mu_0)/(\mu_1-\mu_0)`. None if they tell nothing: a rate or a deviation of
        one half or more. [1]
    """
    sampled, wrong = int(packet.sample_n.sum()), int(packet.sample_m.sum())
    if sampled:
        return Expected(wrong / sampled, math.sqrt(max(wrong, 1)) / sampled)
    mu, p = source["intensities"], source["intensity_probabilities"]
    signals, (_, decoy, vacuum) = int(packet.n[:, 0].sum()), packet.m.sum(axis=0).tolist()
    stretch = (mu[0] - mu[2]) / (mu[1] - mu[2])
    decoy_weight, vacuum_weight = (p[0] / signals * w / q for w, q in ((stretch, p[1]), (1.0 - stretch, p[2])))
    rate = decoy_weight * decoy + vacuum_weight * vacuum
    deviation = math.hypot(decoy_weight * math.sqrt(max(decoy, 1)), vacuum_weight * math.sqrt(max(vacuum, 1)))
    return Expected(rate, deviation) if 0.0 < rate < 0.5 and deviation < 0.5 else None


def trend(rates: Sequence[float], prior: float) -> Expected:
    """What the error rates of earlier packets let expect of the next block.

    Parameters
    ----------
    rates : sequence of float
        Of the packets verified last, oldest first; may be empty.
    prior : float
        Error rate that is expected without any.

    Returns
    -------
    Expected
        Their mean, and as deviation the change from the oldest to the newest; or the prior, as uncertain as large.

    Examples
    --------
    >>> trend([0.012, 0.010], prior=0.01)
    Expected(rate=0.011, deviation=0.002)
    >>> trend([], prior=0.01)
    Expected(rate=0.01, deviation=0.01)
    """
    if not rates:
        return Expected(prior, prior)
    mean = math.fsum(rates) / len(rates)
    return Expected(mean, max(abs(rates[-1] - rates[0]), _LEAST_CHANGE * mean))


def _chance(hint: Expected, rate: float) -> float:
    """Standard deviation of a hint if ``rate`` is true: few errors are not as certain as their own number says."""
    per_error = hint.deviation**2 / max(hint.rate, hint.deviation)
    return math.sqrt(per_error * rate)


def expected_rates(before: Expected, hints: Sequence[Expected | None]) -> list[Expected]:
    """Error rates to expect of the packets of a block.

    Parameters
    ----------
    before : Expected
        What earlier packets tell, of :func:`trend`.
    hints : sequence
        What each packet's disclosed bits tell, of :func:`qber_hint`; None where they tell nothing.

    Returns
    -------
    list of Expected
        The trend, the mean hint of the block's other packets and the packet's own, each with the inverse of its
        variance. A hint far above all that stands alone: a packet may be worse than its neighbours, but not better for
        no reason.
    """
    within = max(_LEAST_CHANGE, _WITHIN * before.deviation / before.rate)
    found = []
    for i, hint in enumerate(hints):
        others = [other for k, other in enumerate(hints) if k != i and other is not None]
        block = before
        if others:
            mean = math.fsum(other.rate for other in others) / len(others)
            told = Expected(mean, math.hypot(*(other.deviation for other in others)) / len(others))
            block = before.with_(Expected(mean, _chance(told, before.with_(told).rate)))
        around = Expected(block.rate, math.hypot(block.deviation, within * block.rate))
        if hint is None:
            found.append(around)
        elif hint.rate - around.rate > _SURPRISE * math.hypot(hint.deviation, around.deviation):
            found.append(hint)
        else:
            found.append(around.with_(Expected(hint.rate, _chance(hint, around.rate))))
    return found
