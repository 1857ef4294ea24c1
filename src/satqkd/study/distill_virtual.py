"""A simulated pass distilled within one process: both ends, the emulated link between them, virtual time.

The same ends, link and record of the run as in :mod:`satqkd.study.distill_pass`, without programs, sockets and waiting.
For the same seed the numbers are the same again.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from satqkd.distillation.link import EmulatedLink, LinkModel, exchange
from satqkd.distillation.randomness import fresh_bytes
from satqkd.distillation.settings import Settings
from satqkd.study.distill_pass import SECRET_BYTES, clear, keep_keys, pass_record, session_failure

if TYPE_CHECKING:
    from satqkd.study.simulate_pass import SimulatedRun

__all__ = ["distil"]


def distil(run: SimulatedRun, *, settings: Settings, link: LinkModel, seed: int = 0) -> dict[str, Any]:
    """Distil a simulated pass in virtual time.

    Parameters
    ----------
    run : SimulatedRun
        Of :func:`satqkd.study.simulate_pass.simulate`.
    settings : Settings
        The session's.
    link : LinkModel
        Emulated in both directions.
    seed : int
        Of the emulated link, and of the bits that decide double clicks: not for a real key.

    Returns
    -------
    dict
        Record of the run, as in ``run.json``, with its ``summary``, and ``link_time_s``, how long the session took on
        the link. The key itself is destroyed.
    """
    from satqkd.distillation.private_files import write_private
    from satqkd.study.distill_ends import ground_end, outcome, satellite_end
    from satqkd.study.distill_equipment import EndOptions
    from satqkd.study.distill_summary import summarise

    started = time.monotonic()
    events: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="satqkd-") as name:
        folder = Path(name) / "session"
        work = folder / "work"
        work.mkdir(mode=0o700, parents=True)
        write_private(work / "secret", fresh_bytes(SECRET_BYTES))
        options = {
            side: EndOptions(state=work / side, pool=work / f"{side}.pool", secret=work / "secret", settings=settings,
                             gate_ps=run.gate_ps)
            for side in ("satellite", "ground")
        }  # fmt: skip
        for option in options.values():
            option.state.mkdir(mode=0o700)
        bits = np.random.default_rng([seed, 1]).bytes(run.ground.detections.tag_ps.size // 8 + 1)
        write_private(options["ground"].state / "clicks", bits)
        clicks = run.ground.detections  # the end wipes its own
        heard = replace(run.ground, detections=replace(clicks, channel=clicks.channel.copy()))
        with (
            satellite_end(run.sender, options["satellite"], events.append) as (satellite, satellite_seal),
            ground_end([heard], options["ground"], events.append) as (ground, ground_seal),
        ):
            up, down = (EmulatedLink(link, seed=2 * seed + number) for number in (1, 0))
            link_time_s = exchange(ground, satellite, up=up, down=down)
            outcomes = {"satellite": outcome(satellite, satellite_seal), "ground": outcome(ground, ground_seal)}
        ends: dict[str, dict[str, Any]] = {
            side: {
                **vars(one), "blocks": {str(block): size for block, size in one.blocks.items()},
                "failure": None if one.failure is None else str(one.failure),
            }
            for side, one in outcomes.items()
        }  # fmt: skip
        failure = session_failure(ends)
        key_bytes = keep_keys(work, folder, ends, failure)
        walls = {"distillation": time.monotonic() - started}
        record = pass_record(run, settings, link, seed, ends, events, walls, failure, key_bytes)
        clear(folder, None)
    return {**record, "link_time_s": link_time_s, "summary": summarise(record)}
