"""A pass distilled in virtual time within one process, beside the same pass distilled by two programs."""

import json

import pytest

from satqkd.distillation.link import LinkModel
from satqkd.distillation.settings import Settings
from satqkd.report.distillation import render
from satqkd.study.distill_pass import run_pass
from satqkd.study.distill_virtual import distil
from satqkd.study.simulate_pass import simulate

SETTINGS = Settings(packets_per_block=1, mode="paper")


@pytest.fixture(scope="module")
def run():
    """Two packets of Jinan-1."""
    return simulate("jinan-1", seed=4, duration_s=8.0)


@pytest.fixture(scope="module")
def record(run):
    return distil(run, settings=SETTINGS, link=LinkModel())


def test_two_programs_come_to_the_same(tmp_path, record):
    """Packets and counts are those of two processes; only what double clicks count as is drawn anew there."""
    run_pass("jinan-1", tmp_path / "out", duration_s=8.0, seed=4, link=LinkModel(delay_s=0.0), settings=SETTINGS)
    programs = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert record["key_bytes"] > 0
    assert set(record) == {*programs, "link_time_s"}
    sync = record["synchronisation"]
    drawn = sync["double_clicks"] + sync["cross_clicks"]
    assert 0 < drawn < 100
    for ours, theirs in zip(record["blocks"], programs["blocks"], strict=True):
        for one, other in zip(ours["packets"], theirs["packets"], strict=True):
            assert (one["packet"], one["bits"], one["status"]) == (other["packet"], other["bits"], other["status"])
            assert one["n"] == [pytest.approx(row, abs=drawn) for row in other["n"]]
            # each of the 50,000 signals of a packet may move the end by one
            assert one["stop_pulse"] == pytest.approx(other["stop_pulse"], rel=drawn / 50_000)
            assert one["qber"] * one["bits"] == pytest.approx(other["qber"] * other["bits"], abs=drawn)
    # an error more or less in 770 changes the key by some bits
    assert record["summary"]["key_bits"] == pytest.approx(programs["summary"]["key_bits"], rel=0.1)


def test_the_same_seed_gives_the_same_numbers(run, record):
    again = distil(run, settings=SETTINGS, link=LinkModel())
    assert again["summary"] == record["summary"]
    # the session's name is drawn anew, and with it the length of some messages by a few bytes of a megabit
    assert again["link_time_s"] == pytest.approx(record["link_time_s"], rel=1e-4)


def test_a_bad_link_takes_longer_and_gives_the_same_key_length(run, record):
    bad = distil(run, settings=SETTINGS, link=LinkModel(loss=0.3, reordering=0.2), seed=0)
    assert bad["key_bytes"] == record["key_bytes"] == sum(record["released"].values())
    assert bad["link_time_s"] > record["link_time_s"]
    assert bad["datagrams"]["ground"]["sent"] > record["datagrams"]["ground"]["sent"]


def test_a_dead_link_gives_no_key(run):
    dead = distil(run, settings=SETTINGS, link=LinkModel(loss=0.999999))
    assert dead["key_bytes"] == 0
    assert dead["failure"].startswith("SILENT")
    assert dead["link_time_s"] > 30.0


def test_the_report_takes_the_record(record):
    page = render(record)
    assert page.count("<svg") == 3
