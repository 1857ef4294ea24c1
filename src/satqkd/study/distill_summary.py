"""Main numbers of a distilled pass, and why its key is not the one that was predicted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from satqkd.detection.weak_pulse import SiftedCounts
from satqkd.security.entropy import binary_entropy_scalar

__all__ = ["noise_free_qber", "prediction", "summarise"]


def noise_free_qber(packet: dict[str, Any], source: dict[str, Any]) -> tuple[float, float]:
    r"""Error rate of a packet's signals without those of the background, and the background's share.

    Parameters
    ----------
    packet : dict
        ``n``: sifted detections by basis and intensity; ``qber``.
    source : dict
        ``intensities`` and ``intensity_probabilities``.

    Returns
    -------
    tuple of float
        :math:`(Q - b/2)/(1 - b)`, not negative, and *b*, from the detections of vacuum pulses. [1]

    Notes
    -----
    With :math:`r_k = n_k/p_k` linear in the intensity, :math:`b = (r_0 - \mu_0 (r_1 - r_0)/(\mu_1-\mu_0))/r_1`. At a
    share of some tenths of a percent it rests on some tens of vacuum detections per packet.
    """
    n = [sum(row[k] for row in packet["n"]) for k in range(3)]
    rate = [count / p for count, p in zip(n, source["intensity_probabilities"], strict=True)]
    mu = source["intensities"]
    if not rate[0]:
        return 0.0, 0.0
    dark = rate[2] - mu[2] * (rate[0] - rate[2]) / (mu[0] - mu[2])
    share = min(max(dark / rate[0], 0.0), 1.0)
    if share == 1.0:
        return 0.0, 1.0
    return max((packet["qber"] - 0.5 * share) / (1.0 - share), 0.0), share


def _counts(key: dict[str, Any]) -> SiftedCounts:
    return SiftedCounts(*(tuple(key[name]) for name in ("n_z", "n_x", "m_z", "m_x")))


def _model_bits(counts: SiftedCounts, record: dict[str, Any], leaks: Sequence[float] | None = None) -> float:
    """Key of a block by the analysis alone, its own model of what is revealed and of tags."""
    from satqkd.security.three_intensity import key_length

    settings, source = record["settings"], record["source"]
    return float(
        key_length(
            counts, intensities=source["intensities"], intensity_probabilities=source["intensity_probabilities"],
            mode=settings["mode"], bound=settings["bound"], eps_secrecy=settings["eps_secrecy"],
            eps_correctness=settings["eps_correctness"], packet_bits=settings["packet_bits"], leak_ec_bits=leaks,
        ).key_bits
    )  # fmt: skip


def prediction(record: dict[str, Any]) -> list[dict[str, Any]]:
    """From the predicted key to the distilled one, step by step.

    Parameters
    ----------
    record : dict
        Of a run.

    Returns
    -------
    list of dict
        ``step`` and ``bits``: the key up to there. The first is the prediction, the last what was distilled.
    """
    expected = SiftedCounts(*(tuple(record["expected"][name]) for name in ("n_key", "n_test", "m_key", "m_test")))
    settings = record["settings"]
    signals = (expected.n_key[0] + expected.n_test[0]) * (1.0 - settings["sample_share"])
    packet_bits, per_block = settings["packet_bits"], settings["packets_per_block"]
    rows: list[dict[str, Any]] = []

    def blocks_of(packets: float) -> float:
        """Key of so many packets with the mean counts of the pass."""
        if not signals:
            return 0.0
        whole, rest = divmod(packets, per_block)
        one = expected.scaled(packet_bits / signals)
        bits = whole * _model_bits(one.scaled(per_block), record) if whole else 0.0
        return bits + (_model_bits(one.scaled(rest), record) if rest > 1e-9 else 0.0)

    rows.append({"step": "predicted: expected counts of the whole pass", "bits": blocks_of(signals / packet_bits)})
    rows.append({"step": "only full packets", "bits": blocks_of(math.floor(signals / packet_bits))})
    kept = [block for block in record["blocks"] if block["key"].get("n_z")]
    rows.append(
        {
            "step": "counts as they came, dropped packets left out",
            "bits": sum(_model_bits(_counts(b["key"]), record) for b in kept),
        }
    )
    with_leaks = 0.0
    for block in kept:
        key = block["key"]
        total = key["n_z"][0] + key["n_x"][0]
        leaks = [key["correction_bits"] * key[name][0] / total for name in ("n_z", "n_x")]
        with_leaks += _model_bits(_counts(key), record, leaks)
    rows.append({"step": "bits that the error correction really revealed", "bits": with_leaks})
    rows.append({"step": "tags in use, one hash for both bases, pool paid back, whole bytes",
                 "bits": 8.0 * sum(b["key"]["key_bytes"] for b in kept)})  # fmt: skip
    rows.append({"step": "distilled: released at both ends", "bits": 8.0 * record["key_bytes"]})
    return rows


def summarise(record: dict[str, Any]) -> dict[str, Any]:
    """Main numbers of a run.

    Parameters
    ----------
    record : dict
        Of a run.

    Returns
    -------
    dict
        ``packets``, ``packets_kept``, ``qber``, ``efficiency`` (revealed bits over Shannon's limit of the kept
        packets), ``key_bits``, ``predicted_bits``, ``blocks``, ``eps_total``, ``restarts``, ``failure``, and
        ``prediction``, the steps between, and ``packet_rows``, one row per packet.
    """
    packets = [packet for block in record["blocks"] for packet in block["packets"]]
    kept = [packet for packet in packets if packet["status"] == "corrected"]
    limit = sum(p["bits"] * binary_entropy_scalar(p["qber"]) for p in kept)
    steps = prediction(record)
    slot_s = 1e-12 * record["source"]["slot_period_ps"]
    rows = []
    for packet in packets:
        clean, share = noise_free_qber(packet, record["source"])
        shannon = packet["bits"] * binary_entropy_scalar(packet["qber"]) if packet["status"] == "corrected" else 0.0
        rows.append(
            {
                "packet": packet["packet"], "start_s": slot_s * packet["first_pulse"],
                "end_s": slot_s * packet["stop_pulse"], "qber": packet["qber"], "qber_without_noise": clean,
                "noise_share": share, "status": packet["status"], "rounds": packet["rounds"], "code": packet["code"],
                "revealed_bits": packet["revealed_bits"],
                "efficiency": packet["revealed_bits"] / shannon if shannon else None,
            }
        )  # fmt: skip
    return {
        "packets": len(packets),
        "packets_kept": len(kept),
        "qber": sum(p["qber"] for p in kept) / len(kept) if kept else 0.0,
        "efficiency": sum(p["revealed_bits"] for p in kept) / limit if limit else 0.0,
        "key_bits": 8 * record["key_bytes"],
        "predicted_bits": steps[0]["bits"],
        "blocks": len(record["blocks"]),
        "eps_total": math.fsum(b["key"].get("eps_total", 0.0) for b in record["blocks"]),
        "restarts": record["restarts"],
        "failure": record["failure"],
        "prediction": steps,
        "packet_rows": rows,
    }
