"""Finite key of BB84 with signal, decoy and vacuum states and keys from both bases, block by block (Li et al. 2025).

:func:`key_length` takes the counts of a block, measured or expected; :func:`expected_counts` makes them from a
block's size X
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from satqkd.detection.weak_pulse import SiftedCounts
from satqkd.errors import InputError
from satqkd.security import _three_intensity as core
from satqkd.security.bounds import BOUNDS
from satqkd.security.leakage import block
from satqkd.security.reasons import explain_no_key
from satqkd.security.result import EpsilonBudget, KeyLength
from satqkd.security.tails import check_counted

__all__ = ["CITATIONS", "JINAN1", "expected_counts", "key_length", "pass_key_bits"]

CITATIONS = (
    'Y. Li et al., "Microsatellite-based real-time quantum key distribution", Nature 640, 47 (2025)',
    "C. Jiang, Z.-W. Yu, X.-B. Wang, Phys. Rev. A 95, 032325 (2017)",
)
_COMPOSABLE_CITATIONS = (
    "C. C. W. Lim, M. Curty, N. Walenta, F. Xu, H. Zbinden, Phys. Rev. A 89, 022307 (2014)",
    "V. Mannalath, V. Zapatero, M. Curty, Phys. Rev. Lett. 135, 020803 (2025)",
)

JINAN1: Mapping[str, tuple[float, float, float]] = MappingProxyType(
    {"intensities": (0.8, 0.1, 0.001), "intensity_probabilities": (0.5, 0.25, 0.25)}
)
"""The source of the satellite of Li et al.: arguments of :func:`key_length` and :func:`expected_counts`."""

PACKET_BITS = 100_000
_AMPLIFICATION_SHARE = 0.1
_FORGERY = 8.0 / 2.0**106
"""Poly1305: a message of L bytes is forged with probability at most 8 ceil(L/16) / 2^106."""


def key_length(
    counts: SiftedCounts,
    *,
    intensities: Sequence[float],
    intensity_probabilities: Sequence[float],
    mode: str = "composable",
    bound: str = "chernoff-implicit",
    xi: float = 1e-10,
    eps_secrecy: float = 1e-9,
    eps_correctness: float = 1e-15,
    leakage: str = "achievable",
    f_ec: float = 1.16,
    leak_ec_bits: Sequence[float] | None = None,
    packet_bits: float = PACKET_BITS,
    tags_per_packet: int = 2,
    message_bytes: int = 62_500,
) -> KeyLength:
    r"""Secret key of one block from its counts.

    Parameters
    ----------
    counts : SiftedCounts
        Detections and errors of signal, decoy and vacuum pulses where the bases agree: ``n_key``, ``m_key`` of the
        Z basis, ``n_test``, ``m_test`` of the X basis. Both give a key. A vacuum pulse counts as one of a basis that
        the sender draws like any other's. Bits disclosed to estimate the error rate are not counted.
    intensities, intensity_probabilities : sequence of float
        Mean photon numbers of signal, decoy and vacuum, descending, and how often each is sent. [1]
    mode : {"composable", "paper"}
        ``paper``: Eqs. 3-9 of Li et al. for each basis, no claim of composable security (the budget says 1).
        ``composable``: bounds on numbers that occurred, exact random sampling, every term of the budget paid for.
    bound : {"chernoff-implicit", "chernoff", "hoeffding", "asymptotic"}
        Concentration inequality, :data:`satqkd.security.bounds.BOUNDS`. ``asymptotic`` leaves out every fluctuation
        and all constants in either mode: a limit, not a secure key.
    xi : float
        Failure probability of each bound in ``paper`` mode; not used in the other. [1]
    eps_secrecy, eps_correctness : float
        Security parameters of both keys together in ``composable`` mode, authentication included. [1]
    leakage : {"achievable", "block", "finite", "published", "published-eq9", "satquma"}
        Error-correction model, :data:`satqkd.security.leakage.LEAKAGE`, applied to the signal bits of each basis.
    f_ec : float
        Error-correction inefficiency of the models that have one, at least 1. [1]
    leak_ec_bits : sequence of float, optional
        Bits disclosed by the error correction that was run, Z and X basis; replaces the model. [bit]
    packet_bits : float
        Sifted bits that are verified together, one tag each. [bit]
    tags_per_packet : int
        Authentication tags per packet; each uses up 128 bits of key. [1]
    message_bytes : int
        Longest authenticated message. [byte]

    Returns
    -------
    KeyLength
        ``key_bits`` is the sum over the bases of what each gives, ``sifted_bits`` the signal bits, ``n1_key_lower``
        and ``n1_test_lower`` the single photons among signal and decoy detections of both bases, ``m1_test_upper`` the
        errors of the latter, ``phase_error_upper`` the larger of the two. Values per basis are in ``intermediate``.
        ``n0_key_lower`` is 0: no key is credited for empty pulses.

    Raises
    ------
    InputError
        If a count is negative or there are more errors than detections, or a parameter is outside its range.

    Notes
    -----
    For each basis :math:`\ell = s_1(1-h(e_1)) - L_{ec}` [1]_ (Eq. 9): :math:`s_1` single photons among the signals,
    :math:`e_1` the error rate of the single-photon decoys of the *other* basis, whose bits are disclosed.

    Composable: given their photon numbers, detections are divided among the intensities at random [2]_, so Eq. 7
    bounds the number of single photons that were detected; binomial quantiles give their number among the signals
    and the decoys. Errors of the decoys are the observed ones minus a lower bound on those of empty pulses. The phase
    error follows by exact random sampling. Each of the 12 estimates behind a key fails with :math:`\varepsilon_1`;
    secrecy is the sum over both keys of :math:`2\sqrt{12\,\varepsilon_1} + \varepsilon_{PA}`, plus authentication.
    A key pays :math:`2\log_2\frac{1}{2\varepsilon_{PA}}`, its verification tags of
    :math:`\lceil\log_2(\mathrm{packets}\cdot\mathrm{words}/\varepsilon_{cor})\rceil` bits and its authentication tags.

    References
    ----------
    .. [1] Y. Li et al., "Microsatellite-based real-time quantum key distribution", Nature 640, 47 (2025).
    .. [2] C. C. W. Lim et al., Phys. Rev. A 89, 022307 (2014).

    Examples
    --------
    >>> counts = expected_counts(sifted_bits=500_000, qber=0.01, **JINAN1)
    >>> key_length(counts, mode="paper", leakage="block", f_ec=1.2, **JINAN1).key_bits // 1000
    109
    """
    if mode not in core.MODES:
        raise InputError(f"mode = {mode!r}: must be one of {', '.join(core.MODES)}")
    mu, p = core.check_protocol(intensities, intensity_probabilities)
    for name, eps in (("xi", xi), ("eps_secrecy", eps_secrecy), ("eps_correctness", eps_correctness)):
        if not 1e-100 <= eps <= 0.1:
            raise InputError(f"{name} = {eps!r}: must be between 1e-100 and 0.1")
    if not 1.0 <= f_ec <= 1000.0:
        raise InputError(f"f_ec = {f_ec!r}: must be between 1 and 1000")
    for name, value, least in (
        ("packet_bits", packet_bits, 1),
        ("tags_per_packet", tags_per_packet, 0),
        ("message_bytes", message_bytes, 0),
    ):
        if isinstance(value, bool) or not (least <= value < math.inf and float(value).is_integer()):
            raise InputError(f"{name} = {value!r}: must be a whole number of at least {least}")
    if leak_ec_bits is not None and not (len(leak_ec_bits) == 2 and all(0.0 <= x < math.inf for x in leak_ec_bits)):
        raise InputError(f"leak_ec_bits = {tuple(leak_ec_bits)!r}: must be two numbers of at least 0, Z and X basis")
    core.check_counts(counts)
    chosen_bound, chosen_leakage = core.lookup_bound(bound), core.lookup_leakage(leakage)

    limit = bound == "asymptotic"
    composable = mode == "composable" and not limit
    packets = sum(max(1.0, math.ceil(n[0] / packet_bits)) for n in (counts.n_key, counts.n_test))
    eps_authentication = tags_per_packet * packets * _FORGERY * math.ceil(message_bytes / 16.0)
    per_key = 0.5 * (eps_secrecy - eps_authentication)
    if composable and per_key <= 0.25 * eps_secrecy:
        raise InputError(
            f"eps_secrecy = {eps_secrecy!r}: authentication alone needs {eps_authentication:.3g}; "
            "must be at least twice that"
        )
    smoothing = (1.0 - _AMPLIFICATION_SHARE) * per_key
    setup = core.Setup(
        mode=mode,
        intensities=(mu[0], mu[1], mu[2]),
        probabilities=(p[0], p[1], p[2]),
        weights=(math.exp(mu[0]) / p[0], math.exp(mu[1]) / p[1], math.exp(mu[2]) / p[2]),
        bound=chosen_bound,
        eps_bound=(0.5 * smoothing) ** 2 / core.N_BOUNDS if composable else xi,
        exact=composable,
        leakage=chosen_leakage,
        f_ec=f_ec,
        leak_ec_bits=None if leak_ec_bits is None else (float(leak_ec_bits[0]), float(leak_ec_bits[1])),
        eps_correctness=0.5 * eps_correctness,
        eps_amplification=_AMPLIFICATION_SHARE * per_key,
        packet_bits=float(packet_bits),
        tags_per_packet=int(tags_per_packet),
    )
    if limit:
        budget = EpsilonBudget(1.0, 0.0, {"asymptotic limit: nothing is claimed about a finite key": 1.0})
    elif not composable:
        budget = EpsilonBudget(1.0, 0.0, {f"no composable claim; {xi:.3g} for each Chernoff bound": 1.0})
    else:
        statistics = f"{core.N_BOUNDS} estimates of {setup.eps_bound:.3g} for each of 2 keys, 2 sqrt(sum)"
        budget = EpsilonBudget(
            eps_secrecy,
            eps_correctness,
            {
                statistics: 2.0 * smoothing,
                "privacy amplification of 2 keys": 2.0 * setup.eps_amplification,
                "authentication": eps_authentication,
                "verification": eps_correctness,
            },
        )
    return _pack(counts, setup, budget, {"mode": mode, "bound": bound, "leakage": leakage})


def _pack(counts: SiftedCounts, setup: core.Setup, budget: EpsilonBudget, options: dict[str, str]) -> KeyLength:
    for basis, detections in (("Z", counts.n_key), ("X", counts.n_test)):
        check_counted(f"in the {basis} basis", math.fsum(detections))
    a = core.analyse(counts, setup)
    key_bits = sum(max(0, math.floor(raw)) for raw in a.raw)
    sifted = counts.n_key[0] + counts.n_test[0]
    given = {} if setup.leak_ec_bits is None else {"leak_ec_bits": setup.leak_ec_bits}
    return KeyLength(
        key_bits=key_bits,
        key_bits_raw=a.raw_total,
        reason=None if key_bits else _reason(counts, setup),
        sifted_bits=sifted,
        qber=(counts.m_key[0] + counts.m_test[0]) / sifted if sifted > 0.0 else 0.0,
        n0_key_lower=0.0,
        n1_key_lower=sum(basis.n1_signal for basis in a.bases),
        n1_test_lower=sum(basis.n1_decoy for basis in a.bases),
        m1_test_upper=sum(basis.m1_decoy for basis in a.bases),
        phase_error_upper=max(a.phase_error),
        leak_ec_bits=sum(basis.leak for basis in a.bases),
        n_key=counts.n_key,
        n_test=counts.n_test,
        m_key=counts.m_key,
        m_test=counts.m_test,
        epsilon=budget,
        parameters={
            "intensities": setup.intensities,
            "intensity_probabilities": setup.probabilities,
            "f_ec": setup.f_ec,
            "packet_bits": setup.packet_bits,
            "tags_per_packet": setup.tags_per_packet,
            **given,
        },
        options=options,
        citations=CITATIONS + (_COMPOSABLE_CITATIONS if setup.mode == "composable" else ()),
        intermediate=a.details,
    )


def _reason(counts: SiftedCounts, setup: core.Setup) -> str:
    limit = replace(setup, bound=BOUNDS["asymptotic"], exact=False, leakage=block, leak_ec_bits=None)

    def with_errors(factor: float) -> SiftedCounts:
        m_key, m_test = (tuple(factor * m for m in errors) for errors in (counts.m_key, counts.m_test))
        return replace(counts, m_key=m_key, m_test=m_test)

    def with_counts(factor: float) -> float:
        leak = setup.leak_ec_bits
        scaled = replace(setup, leak_ec_bits=None if leak is None else (factor * leak[0], factor * leak[1]))
        return core.analyse(counts.scaled(factor), scaled).raw_total

    sifted = counts.n_key[0] + counts.n_test[0]
    return explain_no_key(
        sifted_bits=sifted,
        test_detections=counts.n_key[1] + counts.n_test[1],
        qber=(counts.m_key[0] + counts.m_test[0]) / sifted if sifted > 0.0 else 0.0,
        phase_error=max(core.analyse(counts, limit).phase_error),
        key_of_counts=with_counts,
        asymptotic_key_of_errors=lambda factor: core.analyse(with_errors(factor), limit).raw_total,
    )


def expected_counts(
    *,
    sifted_bits: float,
    qber: float,
    intensities: Sequence[float],
    intensity_probabilities: Sequence[float],
    background_share: float = 0.0,
    p_z: float = 0.5,
) -> SiftedCounts:
    r"""Counts of a block of which only the size and the error rate are known.

    Parameters
    ----------
    sifted_bits : float
        Detections of signal and decoy pulses with agreeing bases, both bases together. [bit]
    qber : float
        Error rate of the signals. [1]
    intensities, intensity_probabilities : sequence of float
        As in :func:`key_length`. [1]
    background_share : float
        Share of the signals' detections that is background, with half of its bits wrong. [1]
    p_z : float
        Share of the Z basis in the block. [1]

    Returns
    -------
    SiftedCounts
        Counts, not rounded.

    Raises
    ------
    InputError
        If a value is outside its range, or the background alone makes more errors than ``qber``.

    Notes
    -----
    Small transmittance: :math:`n_k \propto p_k[b + (1-b)\mu_k/\mu_1]`, :math:`m_k \propto
    p_k[b/2 + (Q - b/2)\mu_k/\mu_1]` with b the background's share and Q the error rate.

    Examples
    --------
    >>> counts = expected_counts(sifted_bits=1700.0, qber=0.01, intensities=(0.8, 0.1, 0.0),
    ...     intensity_probabilities=(0.5, 0.25, 0.25))
    >>> [round(n, 6) for n in counts.n_key], [round(m, 6) for m in counts.m_key]
    ([800.0, 50.0, 0.0], [8.0, 0.5, 0.0])
    """
    mu, p = core.check_protocol(intensities, intensity_probabilities)
    if not 0.0 <= sifted_bits <= 2.0**52:
        raise InputError(f"sifted_bits = {sifted_bits!r}: must be between 0 and 2^52")
    if not 0.0 <= background_share <= 1.0:
        raise InputError(f"background_share = {background_share!r}: must be between 0 and 1")
    if not 0.5 * background_share <= qber <= 1.0 - 0.5 * background_share:
        raise InputError(
            f"qber = {qber!r}: must be between {0.5 * background_share:g} and {1 - 0.5 * background_share:g}, "
            "what the background alone makes"
        )
    if not 0.0 <= p_z <= 1.0:
        raise InputError(f"p_z = {p_z!r}: must be between 0 and 1")
    light = [k / mu[0] for k in mu]
    n = [q * (background_share + (1.0 - background_share) * r) for q, r in zip(p, light, strict=True)]
    m = [q * (0.5 * background_share + (qber - 0.5 * background_share) * r) for q, r in zip(p, light, strict=True)]
    unit = sifted_bits / (n[0] + n[1])
    rows = [tuple(share * unit * x for x in row) for row in (n, m) for share in (p_z, 1.0 - p_z)]
    return SiftedCounts(n_key=rows[0], n_test=rows[1], m_key=rows[2], m_test=rows[3])


def pass_key_bits(block_key: KeyLength, *, packets: int, packets_per_block: int = 5, multiple_bits: int = 1) -> int:
    """Key of a pass whose packets are put together in equal blocks; packets left over give none.

    Parameters
    ----------
    block_key : KeyLength
        Key of one block.
    packets : int
        Sifted packets of 100 kbit of the pass. [1]
    packets_per_block : int
        Packets in a block, 1 to 9 (Li et al.: 5). [1]
    multiple_bits : int
        The key of a block is cut to a multiple of this (the lengths that Li et al. print: 128). [bit]

    Returns
    -------
    int
        Length of all the keys together. [bit]

    Raises
    ------
    InputError
        If a number is not whole or outside its range.

    Examples
    --------
    >>> counts = expected_counts(sifted_bits=500_000, qber=0.01, **JINAN1)
    >>> key = key_length(counts, mode="paper", leakage="block", f_ec=1.2, **JINAN1)
    >>> pass_key_bits(key, packets=23, multiple_bits=128) == 4 * (key.key_bits // 128 * 128)
    True
    """
    for name, value, low, high in (
        ("packets", packets, 0, 10**9),
        ("packets_per_block", packets_per_block, 1, 9),
        ("multiple_bits", multiple_bits, 1, 10**6),
    ):
        if isinstance(value, bool) or not (low <= value <= high and int(value) == value):
            raise InputError(f"{name} = {value!r}: must be a whole number between {low} and {high}")
    return int(packets) // int(packets_per_block) * (block_key.key_bits // int(multiple_bits) * int(multiple_bits))
