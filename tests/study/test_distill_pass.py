"""Passes distilled by two real processes: bad links, kill -9 at any time, and the whole command."""

import json
import signal
import time

import numpy as np
import pytest
from typer.testing import CliRunner

from satqkd.cli.main import app
from satqkd.distillation.link import LinkModel
from satqkd.distillation.private_files import write_private
from satqkd.distillation.settings import Settings
from satqkd.errors import InputError
from satqkd.study.distill_pass import run_pass
from satqkd.study.distill_programs import run_programs
from satqkd.study.distill_summary import noise_free_qber
from satqkd.study.simulate_pass import simulate, write

SETTINGS = Settings(packets_per_block=1, mode="paper")


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """Two packets of Jinan-1."""
    folder = tmp_path_factory.mktemp("records")
    ground, satellite = write(simulate("jinan-1", seed=4, duration_s=8.0), folder)
    return {"ground": ground, "satellite": satellite}


@pytest.mark.parametrize("seed", range(10))
def test_two_processes(tmp_path, records, seed):
    """From seed 4 on one of them is killed; either way both end up with the same two keys."""
    rng = np.random.default_rng(seed)
    link = LinkModel(loss=0.5 * seed / 9, duplication=0.1, reordering=0.2)
    write_private(tmp_path / "secret", bytes(range(256)) * 4)
    kills = [float(rng.uniform(0.0, 1.5))] if seed >= 4 else []
    victim = ("satellite", "ground")[seed % 2]
    started, killed = [], []

    def watch(elapsed, processes):
        if started and kills and elapsed - started[0] > kills[0] and processes[victim].poll() is None:
            kills.pop(0)
            processes[victim].send_signal(signal.SIGKILL)
            killed.append(elapsed)

    def report(event):
        if event["event"] == "started":
            started.append(time.monotonic() - began)

    began = time.monotonic()
    ends, events = run_programs(
        records, tmp_path, settings=SETTINGS, link=link, seed=seed, patience_s=30.0, report=report, watch=watch
    )
    assert {end["failure"] for end in ends.values()} == {None}
    found = [{p.name: p.read_bytes() for p in (tmp_path / side / "keys").iterdir()} for side in records]
    assert len(found[0]) == 2
    assert found[0] == found[1]
    assert sum(event["event"] == "restarted" for event in events) <= len(killed)


def test_the_command(tmp_path):
    out = tmp_path / "out"
    arguments = ["distill", "pass", "jinan-1", "--duration", "12", "--frame-loss", "0.1", "--seed", "7", "-o", str(out)]
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in out.iterdir()) == ["ground.key", "report.html", "run.json", "satellite.key"]
    keys = [(out / f"{side}.key").read_bytes() for side in ("ground", "satellite")]
    assert keys[0] == keys[1]
    assert {(out / f"{side}.key").stat().st_mode & 0o777 for side in ("ground", "satellite")} == {0o600}
    summary = json.loads(result.stdout.splitlines()[-1])
    assert summary["key_bits"] == 8 * len(keys[0]) > 0
    assert summary["prediction"][-1]["bits"] == summary["key_bits"]
    # the model is the simulation's own: what is left is statistics of the counts (4 % rms of the decoys' errors) and
    # the efficiency of the codes
    assert summary["key_bits"] == pytest.approx(summary["prediction"][1]["bits"], rel=0.15)
    assert summary["predicted_bits"] == summary["prediction"][0]["bits"] > summary["prediction"][1]["bits"]
    record = json.loads((out / "run.json").read_text())
    for block in record["blocks"]:
        n = np.array([block["key"]["n_z"], block["key"]["n_x"]])
        assert n[:, 0].sum() == 100_000 * sum(p["status"] == "corrected" for p in block["packets"])
        # within 5 standard deviations of the expected ratio of decoys to signals
        expected = np.array([record["expected"]["n_key"], record["expected"]["n_test"]])
        ratio = expected[:, 1].sum() / expected[:, 0].sum()
        assert n[:, 1].sum() == pytest.approx(ratio * n[:, 0].sum(), abs=5 * (ratio * n[:, 0].sum()) ** 0.5)
    page = (out / "report.html").read_text()
    for text in ("Counts and range", "Predicted and distilled key", "What was revealed and spent", "Security budget"):
        assert text in page
    for key in (keys[0], keys[0][:32]):
        assert key.hex() not in page + json.dumps(record)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--frame-loss", "1.5"], "loss = 1.5"),
        (["--packets-per-block", "10"], "packets_per_block = 10"),
        (["--duration", "1e6"], "duration_s"),
        (["--sample", "1"], "sample_share"),
    ],
)
def test_wrong_options_leave_nothing(tmp_path, arguments, says):
    result = CliRunner().invoke(app, ["distill", "pass", "jinan-1", "-o", str(tmp_path / "o"), *arguments])
    assert isinstance(result.exception, InputError)  # one line and exit code 2 at the command's entry
    assert says in str(result.exception)
    assert list(tmp_path.iterdir()) == []


def test_a_pass_without_one_full_packet(tmp_path):
    done = run_pass(
        "jinan-1", tmp_path / "out", duration_s=2.0, link=LinkModel(), settings=Settings(), seed=1
    )  # fmt: skip
    assert done.key_bytes == 0
    assert done.failure is None
    assert "full packet" in done.reason
    assert not list((tmp_path / "out").glob("*.key"))


def test_noise_is_taken_out_of_the_error_rate():
    source = {"intensities": [0.8, 0.1, 0.0], "intensity_probabilities": [0.5, 0.25, 0.25]}
    background, clean = 0.02, 0.004
    light = np.array([1.0, 0.125, 0.0]) * (1 - background)
    n = 1e5 * np.array([0.5, 0.25, 0.25]) * (light + background)
    packet = {"n": [list(n / 2), list(n / 2)], "qber": background / 2 + (1 - background) * clean}
    assert noise_free_qber(packet, source) == pytest.approx((clean, background), rel=1e-9)  # floats
