"""The report: well formed, self-contained, escaped, reproducible, and right in its numbers."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from satqkd.report import compare, html_summary, render
from satqkd.report.run import best_of_stations, reason_groups

VOID = {"meta", "br", "img", "hr", "input", "link", "wbr"}


class Page(HTMLParser):
    """Checks that tags are balanced; collects ids, links, attributes that load something, and visible text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loads: list[tuple[str, str]] = []
        self.tags: list[str] = []
        self.words: list[str] = []
        self.rows: list[list[str]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name == "href" and tag == "a":
                self.links.append(value)
            elif name in ("src", "href", "xlink:href", "data", "action", "srcset", "poster"):
                self.loads.append((tag, value))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "script", "svg"} & set(self.open):
            self.words.append(data)
            if {"td", "th"} & set(self.open):
                self.rows[-1][-1] += data

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def text(run):
    return render(run)


def _is_whole_and_alone(text):
    page = Page(text)
    assert len(page.ids) == len(set(page.ids))
    for tag, target in page.loads:
        assert target.startswith(("#", "data:image/png;base64,")), (tag, target)
    assert "link" not in page.tags
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert all(link.startswith("#") for link in page.links)
    return page


def test_the_page_is_well_formed_and_loads_nothing(text):
    page = _is_whole_and_alone(text)
    assert page.tags.count("h1") == 1
    assert page.tags.count("svg") == 7
    assert text.count('role="img" aria-label=') == 7
    titles = (
        "Map", "Timeline of passes", "Best pass", "Loss budget", "Keys per station and day", "All passes", "Schedule",
        "Security of the mission", "Provenance", "Warnings", "Margins and missing keys",
    )  # fmt: skip
    assert [title for title in titles if title not in page.text] == []


def test_the_same_run_gives_the_same_bytes(text, make_run):
    assert render(make_run()) == text


def test_numbers_are_rounded_and_never_nan(text):
    page = Page(text)
    provenance = page.text.index("Provenance", page.text.index("Security of the mission", 2000))
    visible = page.text[:provenance]
    assert not re.search(r"\d\.\d{5,}", visible)
    assert not re.search(r"\bnan\b|\binf\b|None", visible)
    assert not re.search(r"np\.|float64|array\(", visible)


def _row(page, first, after=""):
    return next(row for row in page.rows if row and row[0] == first and (not after or after in row))


def test_totals_and_tables_are_those_of_the_run(text, run):
    page = Page(text)
    finite, asymptotic = run.keys["key_bits"].values, run.keys["key_bits_asymptotic"].values
    assert f"{finite.sum() / 1e6:.1f} Mbit" in page.text
    assert f"{asymptotic.sum() / 1e6:.0f} Mbit" in page.text
    assert "12 of 12 passes give a finite key" in page.text
    shanghai = run.keys["station"].values == "Shanghai"
    days = run.keys["day"].values
    expected = [f"{finite[shanghai & (days == day)].sum() / 1e6:.2f} Mbit" for day in sorted(set(days))]
    assert _row(page, "Shanghai", expected[0])[1:-1] == expected
    for name, got, could in zip(
        run.schedule["station"].values, run.schedule["delivered_bits"].values, run.schedule["available_bits"].values,
        strict=True,
    ):  # fmt: skip
        assert _row(page, str(name), f"{100 * got / could:.1f} %")[3] == f"{could / 1e6:.1f} Mbit"


def test_the_loss_table_holds_the_terms_at_culmination_and_their_means(text, run):
    from satqkd import plot

    page = Page(text)
    samples = plot.pass_samples(run.link, plot.best_pass(run.keys))
    top = int(samples["elevation"].values.argmax())
    for name, words in (("loss_geometric_db", "beam spreading"), ("loss_total_db", "whole link")):
        values = samples[name].values
        assert _row(page, words)[1:] == [f"{values[top]:.2f}", f"{values.mean():.2f}", f"{values.max():.2f}"]
    best = dict(best_of_stations(run))
    assert set(best) == {"Shanghai", "Beijing", "Chengdu"}
    for name, number in best.items():
        mine = run.keys["station"].values == name
        assert run.keys["key_bits"].values[number] == run.keys["key_bits"].values[mine].max()


HOSTILE = "<b onload=x>&'\"$a_1$"


@pytest.fixture(scope="module")
def hostile(make_run, make_scenario):
    case = make_scenario().to_dict()
    case["stations"][1]["name"] = HOSTILE
    case["satellites"][0]["name"] = "</script><script>alert(1)</script>"
    case |= {"title": "<script>alert(2)</script>", "description": "a < b & c"}
    from satqkd.scenario.load import validate_scenario

    run = make_run(validate_scenario(case))
    run.provenance["warnings"] = ["<img src=http://example.com/x>"]
    run.provenance["citations"] = ["<i>Author</i> & 'Co'"]
    run.provenance["<u>"] = "<u>"
    run.keys["reason"] = ("pass", np.array(["<CODE>: <p>detail</p>"] * run.keys.sizes["pass"]))
    run.keys["key_bits"][:] = 0
    return run


def test_text_of_users_is_escaped(hostile, run):
    for text in (render(hostile), compare(hostile, run), f"<p>{html_summary(hostile)}</p>"):
        page = _is_whole_and_alone(text)
        assert page.tags.count("script") in (0, 1)
        assert not {"b", "u", "i", "p>detail"} & set(page.tags) - {"b"}
        assert "onload" not in {name for _, name in page.loads}
        assert "<b onload" not in text
        assert "alert(1)</script>" not in text
        assert "<script>alert(2)" in page.text
        assert HOSTILE in page.text
    page = Page(render(hostile))
    assert "<CODE>" in page.text
    assert "<p>detail</p>" in page.text
    assert "<img src=http://example.com/x>" in page.text


def test_a_run_without_passes_says_so_and_why_it_can_be(empty_run):
    page = _is_whole_and_alone(render(empty_run))
    assert "No usable pass in this window, so no key." in page.text
    for cause in ("darkness", "elevation masks", "window of 7 d", "latitudes"):
        assert cause in page.text
    assert "0 of 0 passes" in page.text
    assert not re.search(r"\bnan\b", page.text)


def test_a_run_without_a_key_groups_its_reasons_and_names_the_closest_pass(make_run):
    lossy = make_run(extra_loss_db=16.0)
    groups = dict(reason_groups(lossy.keys))
    lacking = np.flatnonzero(lossy.keys["key_bits"].values == 0)
    assert sorted(n for members in groups.values() for n in members) == lacking.tolist()
    page = _is_whole_and_alone(render(lossy))
    margin = lossy.keys["margin_db"].values
    for code, members in groups.items():
        row = _row(page, code)
        nearest = members[int(np.argmax(margin[members]))]
        lacks = f"{-margin[nearest]:.1f} dB" if np.isfinite(margin[nearest]) else "out of reach"
        assert row[3:] == [str(len(members)), lacks]
        assert row[1].startswith(f"{lossy.keys['station'].values[nearest]}, ")
    assert set(groups) == {"TOO_FEW_COUNTS", "QBER_TOO_HIGH"}


def test_no_key_at_all_gives_a_report(make_run):
    page = _is_whole_and_alone(render(make_run(extra_loss_db=60.0)))
    assert "0 of 12 passes give a finite key" in page.text
    assert "out of reach" in page.text
    assert not re.search(r"\bnan\b", page.text)


def test_long_lists_of_passes_are_cut_to_the_best(make_run, make_scenario, monkeypatch):
    from satqkd.report import sections

    monkeypatch.setattr(sections, "_MOST_ROWS", 4)
    run = make_run()
    body = sections.passes(run).body
    assert len(Page(body).rows) == 5
    assert "The 4 passes with the most key, of 12" in body


def test_files_in_the_scenario_are_abbreviated(text, run):
    whole = run.scenario.satellites[0].orbit.file.text
    assert "characters in all" in text or len(whole) <= 600
    assert run.scenario.hash in text


@pytest.mark.parametrize("extra_loss_db", [0.0, 60.0])
def test_a_single_sample_per_pass_is_enough(make_run, extra_loss_db):
    run = make_run(extra_loss_db=extra_loss_db)
    first = run.link["time"].values[run.link["pass_number"].values[0, 0] == 0][:1]
    run.link = run.link.sel(time=first)
    for name in ("passes", "keys"):
        setattr(run, name, getattr(run, name).isel({"pass": [0]}))
    _is_whole_and_alone(render(run))
