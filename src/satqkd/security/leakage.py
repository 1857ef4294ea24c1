r"""Bits disclosed by error correction: one model per function, chosen by name from :data:`LEAKAGE`.

Each function takes the sifted bits n, their error rate Q, the correctness parameter and the inefficiency ``f_ec``,
and returns a number of bits, never below :math:`n\,h(Q)` (what any one-way code leaks on a long block) and finite for
every Q. An error rate above 1/2 counts as 1/2.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

from satqkd.security.entropy import binary_entropy_scalar
from satqkd.security.tails import binomial_error_quantile

__all__ = ["LEAKAGE", "Leakage", "achievable", "block", "finite", "published", "published_eq9", "satquma"]

Leakage = Callable[[float, float, float, float], float]


def _shannon(n: float, qber: float) -> float:
    return n * binary_entropy_scalar(min(qber, 0.5)) if n > 0.0 else 0.0


def _converse(n: float, qber: float, eps_quantile: float, eps: float, offset: float, log_unit: float) -> float:
    r"""n h(Q) + [n(1-Q) - F^-1 + offset] log((1-Q)/Q) - log(n)/2 - log(1/eps), logs divided by ``log_unit``.

    F^-1 is the smallest k with Pr[Bin(int(n), 1-Q) <= k] >= ``eps_quantile``, that is int(n) minus the quantile of
    the errors. Never below n h(Q), which is also the value at Q = 0, where the logarithm diverges.
    """
    shannon = _shannon(n, qber)
    if n < 1.0 or not 0.0 < qber < 0.5:
        return shannon
    whole = float(math.floor(n))
    correct = whole - binomial_error_quantile(min(eps_quantile, 0.1), whole, qber)
    log_odds = math.log1p(-qber) - math.log(qber)
    extra = (n * (1.0 - qber) - correct + offset) * log_odds - 0.5 * math.log(n) - math.log(1.0 / eps)
    return max(shannon + extra / log_unit, shannon)


def block(n: float, qber: float, eps_correctness: float, f_ec: float) -> float:
    r"""Constant inefficiency: :math:`f_{EC}\,n\,h(Q)`.

    Parameters
    ----------
    n : float
        Sifted bits. [bit]
    qber : float
        Their error rate. [1]
    eps_correctness : float
        Not used.
    f_ec : float
        Inefficiency, at least 1. [1]

    Returns
    -------
    float
        Leaked bits. [bit]

    References
    ----------
    .. [1] J. S. Sidhu et al., npj Quantum Inf. 8, 18 (2022), Methods A.
    """
    del eps_correctness
    return f_ec * _shannon(n, qber)


def finite(n: float, qber: float, eps_correctness: float, f_ec: float) -> float:
    r"""Finite-length converse of one-way reconciliation, base 2 throughout.

    Parameters
    ----------
    n : float
        Sifted bits. [bit]
    qber : float
        Their error rate. [1]
    eps_correctness : float
        Failure probability of the reconciliation. [1]
    f_ec : float
        Not used.

    Returns
    -------
    float
        :math:`n h(Q) + [n(1-Q) - F^{-1}(\varepsilon(1+1/\sqrt n);n,1-Q) - 1]\log_2\frac{1-Q}{Q}
        - \tfrac12\log_2 n - \log_2(1/\varepsilon)`. [bit]

    Notes
    -----
    The *least* any one-way code can leak: a limit to show. A key predicted with it is 2-15 % too long.

    References
    ----------
    .. [1] M. Tomamichel et al., "Fundamental finite key limits for one-way information reconciliation in quantum
       key distribution", Quantum Inf. Process. 16, 280 (2017).
    """
    del f_ec
    return _converse(n, qber, _enlarged(eps_correctness, n), eps_correctness, -1.0, math.log(2.0))


def achievable(n: float, qber: float, eps_correctness: float, f_ec: float) -> float:
    """The larger of the converse :func:`finite` and the practical :func:`block`: the model for predictions.

    Parameters
    ----------
    n : float
        Sifted bits. [bit]
    qber : float
        Their error rate. [1]
    eps_correctness : float
        Failure probability of the reconciliation. [1]
    f_ec : float
        Inefficiency, at least 1. [1]

    Returns
    -------
    float
        Leaked bits. [bit]
    """
    return max(finite(n, qber, eps_correctness, f_ec), block(n, qber, eps_correctness, f_ec))


def published(n: float, qber: float, eps_correctness: float, f_ec: float) -> float:
    r"""The converse as in the code published with Sidhu et al.: binary entropy, other logarithms natural.

    Parameters
    ----------
    n : float
        Sifted bits. [bit]
    qber : float
        Their error rate. [1]
    eps_correctness : float
        Failure probability of the reconciliation. [1]
    f_ec : float
        Not used.

    Returns
    -------
    float
        :math:`n h(Q) + [n(1-Q) - F^{-1}(\varepsilon(1+1/\sqrt n)) - 1]\ln\frac{1-Q}{Q} - \tfrac12\ln n
        - \ln(1/\varepsilon)`. [bit]

    Notes
    -----
    Mixed units make it 0.1-5 % smaller than :func:`finite`; for comparison with published numbers only.

    References
    ----------
    .. [1] J. S. Sidhu et al., npj Quantum Inf. 8, 18 (2022) and its code SatQuMA 2.0.
    """
    del f_ec
    return _converse(n, qber, _enlarged(eps_correctness, n), eps_correctness, -1.0, 1.0)


def published_eq9(n: float, qber: float, eps_correctness: float, f_ec: float) -> float:
    r"""Eq. 9 of Sidhu et al. as printed: plain epsilon in the quantile and :math:`-(F^{-1}-1)`.

    Parameters
    ----------
    n : float
        Sifted bits. [bit]
    qber : float
        Their error rate. [1]
    eps_correctness : float
        Failure probability of the reconciliation. [1]
    f_ec : float
        Not used.

    Returns
    -------
    float
        Leaked bits, natural logarithms beside the binary entropy. [bit]

    References
    ----------
    .. [1] J. S. Sidhu et al., npj Quantum Inf. 8, 18 (2022), Eq. 9.
    """
    del f_ec
    return _converse(n, qber, eps_correctness, eps_correctness, 1.0, 1.0)


def satquma(n: float, qber: float, eps_correctness: float, f_ec: float) -> float:
    """What the published code uses: the larger of :func:`published` and :func:`block`.

    Parameters
    ----------
    n : float
        Sifted bits. [bit]
    qber : float
        Their error rate. [1]
    eps_correctness : float
        Failure probability of the reconciliation. [1]
    f_ec : float
        Inefficiency, at least 1. [1]

    Returns
    -------
    float
        Leaked bits. [bit]

    References
    ----------
    .. [1] SatQuMA 2.0, the code of J. S. Sidhu et al., npj Quantum Inf. 8, 18 (2022).
    """
    return max(published(n, qber, eps_correctness, f_ec), block(n, qber, eps_correctness, f_ec))


def _enlarged(eps: float, n: float) -> float:
    return eps * (1.0 + 1.0 / math.sqrt(n)) if n > 0.0 else eps


LEAKAGE: Mapping[str, Leakage] = MappingProxyType(
    {
        "achievable": achievable,
        "finite": finite,
        "published": published,
        "published-eq9": published_eq9,
        "satquma": satquma,
        "block": block,
    }
)
"""Leakage model by name; ``achievable`` is the default and the only one for predictions."""
