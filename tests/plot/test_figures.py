"""What the figures show is what the tables hold."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure

from satqkd import plot
from satqkd.plot.keys import day_groups
from satqkd.plot.timeline import day_cut_h, served_spans


def _line(axes, gid):
    return next(line for line in axes.get_lines() if line.get_gid() == gid)


def _text(figure):
    return " ".join(text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")))


def test_pass_curves_show_the_best_pass_in_degrees_km_db_and_bits_per_second(run):
    number = plot.best_pass(run.keys)
    samples = plot.pass_samples(run.link, number)
    axes = plot.pass_curves(run.link, run.keys).axes
    labels = [ax.get_ylabel() for ax in axes]
    assert labels == ["Elevation [deg]", "Slant range [km]", "Total loss [dB]", "Asymptotic key rate [kbit/s]"]
    assert axes[2].get_xlabel() == "Time from culmination [s]"
    expected = [samples["elevation"], samples["slant_range"] / 1e3, samples["loss_total_db"],
                samples["rate_asymptotic"] / 1e3]  # fmt: skip
    for ax, values in zip(axes, expected, strict=True):
        np.testing.assert_array_equal(ax.get_lines()[0].get_ydata(), values)
    seconds = axes[0].get_lines()[0].get_xdata()
    assert seconds[int(samples["elevation"].values.argmax())] == 0.0
    assert np.ptp(seconds) == run.passes["duration_s"].values[number]


def test_best_pass_has_the_most_finite_key_then_asymptotic_key(run):
    keys = run.keys.copy(deep=True)
    assert keys["key_bits"].values[plot.best_pass(keys)] == keys["key_bits"].max()
    keys["key_bits"][:] = 0
    assert plot.best_pass(keys) == int(keys["key_bits_asymptotic"].values.argmax())


def test_pass_curves_of_a_chosen_pass_name_its_station(run):
    for number, station in enumerate(run.passes["station"].values):
        assert f"over {station}" in plot.pass_curves(run.link, number=number).get_suptitle()


def test_loss_terms_are_stacked_up_to_the_total(run):
    axes = plot.loss_budget(run.link, run.keys).axes[0]
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("Loss [dB]", "Time from culmination [s]")
    samples = plot.pass_samples(run.link, plot.best_pass(run.keys))
    total = _line(axes, "total").get_ydata()
    np.testing.assert_array_equal(total, samples["loss_total_db"])
    tops = {}
    for area in axes.collections:
        points = area.get_paths()[0].vertices
        tops[area.get_gid()] = (points[:, 1].min(), points[:, 1].max())
    assert list(tops) == ["loss_geometric_db", "loss_atmosphere_db", "loss_pointing_db", "loss_coupling_db",
                          "loss_detector_db"]  # fmt: skip
    assert tops["loss_detector_db"][1] == pytest.approx(total.max(), rel=1e-12)  # sum in another order
    assert tops["loss_geometric_db"] == pytest.approx((0.0, float(samples["loss_geometric_db"].max())), rel=1e-12)


def test_a_negative_loss_term_hangs_below_zero(run):
    link = run.link.copy(deep=True)
    link["loss_offset_db"] = -4.0 + 0.0 * link["loss_total_db"]
    axes = plot.loss_budget(link, run.keys).axes[0]
    offset = next(area for area in axes.collections if area.get_gid() == "loss_offset_db")
    heights = offset.get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (-4.0, 0.0)
    assert axes.get_ylim()[0] < -4.0


def test_margins_show_every_pass_that_has_a_finite_margin(run, make_run):
    lossy = make_run(extra_loss_db=16.0)
    for case in (run, lossy):
        figure = plot.margins(case.passes, case.keys)
        axes = figure.axes[0]
        assert (axes.get_ylabel(), axes.get_xlabel()) == ("Loss margin [dB]", "Highest elevation of the pass [deg]")
        groups = {line.get_label(): line.get_xydata() for line in axes.get_lines() if line.get_marker() in "o^X"}
        margin = case.keys["margin_db"].values
        known = np.isfinite(margin)
        table = np.column_stack([case.passes["max_elevation_deg"].values, margin])
        shown = np.concatenate(list(groups.values()))
        np.testing.assert_array_equal(np.sort(shown, axis=0), np.sort(table[known], axis=0))
        np.testing.assert_array_equal(
            groups.get("finite key", np.empty((0, 2))), table[known & (case.keys["key_bits"].values > 0)]
        )
    assert not known.all(), "the lossy run is to have passes out of reach"
    assert f"{int((~known).sum())} passes without a finite margin" in _text(figure)


def test_bars_add_up_to_the_keys_of_each_station_and_day(run):
    names = ["Shanghai", "Beijing", "Chengdu"]
    figure = plot.keys_by_day(run.keys, stations=names)
    for axes, variable in zip(figure.axes, ("key_bits", "key_bits_asymptotic"), strict=True):
        assert axes.get_ylabel().endswith("[Mbit]")
        days = sorted(set(run.keys["day"].values))
        assert [bars.get_label() for bars in axes.containers] == days
        for day, bars in zip(days, axes.containers, strict=True):
            for name, bar in zip(names, bars, strict=True):
                chosen = (run.keys["station"].values == name) & (run.keys["day"].values == day)
                expected = run.keys[variable].values[chosen].sum() / 1e6
                assert bar.get_height() == pytest.approx(expected, rel=1e-12)  # sum in another order
    assert [label.get_text() for label in figure.axes[1].get_xticklabels()] == names


def test_long_windows_are_joined_to_periods_that_keep_every_day():
    days = [str(day) for day in np.arange("2026-01-01", "2026-04-11", dtype="datetime64[D]")]
    labels, group = day_groups(days)
    assert len(labels) == 8
    assert labels[0] == "2026-01-01 to 2026-01-13"
    assert labels[-1].endswith("2026-04-10")
    assert np.bincount(group).tolist() == [13] * 7 + [9]


def test_timeline_bars_last_as_long_as_the_passes(run):
    figure = plot.timeline(run.passes, keys=run.keys, stations=["Shanghai", "Beijing", "Chengdu"])
    widths = [patch.get_width() for axes in figure.axes for patch in axes.patches]
    np.testing.assert_allclose(np.sort(widths), np.sort(run.passes["duration_s"].values / 3600.0), rtol=1e-9)
    assert len([axes for axes in figure.axes if axes.patches]) == 5, "one panel per overflight"
    assert [axes.get_title(loc="left") for axes in figure.axes[:2]] == ["2016-09-19 16:25", "2016-09-19 18:01"]


def test_timeline_marks_what_cuts_a_pass_short(run):
    figure = plot.timeline(run.passes, keys=run.keys)
    for limit in ("darkness", "window"):
        marks = [line for axes in figure.axes for line in axes.get_lines() if line.get_gid() == f"limit-{limit}"]
        assert sum(len(line.get_xdata()) for line in marks) == int((run.passes["end_limit"] == limit).sum()) == 1


def test_timeline_shows_the_time_that_the_schedule_gives(run):
    figure = plot.timeline(run.passes, keys=run.keys, schedule=run.schedule, interval_s=10.0)
    served = [patch.get_width() for axes in figure.axes for patch in axes.patches if patch.get_gid() == "served"]
    count = int((~run.schedule["assigned"].isin(["idle", "switching"])).sum())
    assert sum(served) * 360.0 == pytest.approx(count, rel=1e-9)  # float hours
    spans = served_spans(run.schedule, 10.0)
    assert sum((end - start) / np.timedelta64(10, "s") for _, _, start, end in spans) == count
    assert len(spans) == len(served)


def test_long_windows_become_a_calendar_with_a_row_per_day(make_run, make_scenario):
    flights = [(str(np.datetime64("2016-09-19T16:30") + np.timedelta64(1435 * i, "m")), 112.0) for i in range(30)]
    long = make_run(make_scenario(1), overflights=flights)
    axes = plot.timeline(long.passes, keys=long.keys).axes[0]
    assert len(axes.patches) == 30
    assert [round(patch.get_y() + patch.get_height() / 2) for patch in axes.patches] == list(range(30))
    middle = [patch.get_x() + patch.get_width() / 2 for patch in axes.patches]
    np.testing.assert_allclose(np.diff(middle), -5.0 / 60.0, atol=0.01)  # passes on a grid of 10 s


@pytest.mark.parametrize(("hours", "cut"), [((12, 16), 0), ((22, 26), 12), ((0, 3), 14)])
def test_days_begin_where_they_cut_no_pass(hours, cut):
    start = np.datetime64("2026-01-01T00:00") + np.array([hours[0] * 60, hours[1] * 60 - 9], "timedelta64[m]")
    end = start + np.timedelta64(8, "m")
    assert day_cut_h(start, end) == cut


def test_empty_runs_give_figures_that_say_so(empty_run):
    figures = [
        plot.timeline(empty_run.passes, keys=empty_run.keys),
        plot.pass_curves(empty_run.link, empty_run.keys),
        plot.loss_budget(empty_run.link),
        plot.margins(empty_run.passes, empty_run.keys),
        plot.keys_by_day(empty_run.keys),
        plot.compare_keys(empty_run.keys, empty_run.keys, stations=["a"]),
        plot.compare_passes(empty_run.passes, empty_run.keys, empty_run.passes, empty_run.keys),
    ]
    for figure in figures:
        assert isinstance(figure, Figure)
        assert "pass" in _text(figure)
    assert "no pass in the window" in _text(plot.ground_track(empty_run.link, stations=empty_run.scenario.stations))


def test_comparison_shows_both_runs(run, make_run):
    other = make_run(extra_loss_db=3.0)
    names = ["Shanghai", "Beijing", "Chengdu"]
    axes = plot.compare_keys(run.keys, other.keys, stations=names).axes[0]
    for bars, case in zip(axes.containers, (run, other), strict=True):
        for name, bar in zip(names, bars, strict=True):
            expected = case.keys["key_bits"].values[case.keys["station"].values == name].sum() / 1e6
            assert bar.get_height() == pytest.approx(expected, rel=1e-12)  # sum in another order
    left, right = plot.compare_passes(run.passes, run.keys, other.passes, other.keys).axes
    np.testing.assert_allclose(
        left.get_lines()[1].get_ydata() * 1e6, other.keys["key_bits"], rtol=1e-12
    )  # to Mbit and back
    np.testing.assert_array_equal(right.get_lines()[0].get_ydata(), run.keys["margin_db"])
    loss, _ = plot.compare_curves(plot.pass_samples(run.link, 0), plot.pass_samples(other.link, 0)).axes
    difference = loss.get_lines()[1].get_ydata() - loss.get_lines()[0].get_ydata()
    np.testing.assert_allclose(difference, 3.0, rtol=1e-9)  # losses of some 30 dB in double precision


def test_pages_get_the_same_picture_every_time_and_whatever_the_users_settings(run):
    import matplotlib as mpl

    first = plot.to_inline(plot.margins(run.passes, run.keys), name="m", alt="x")
    with mpl.rc_context({"font.size": 30.0, "axes.facecolor": "red", "svg.fonttype": "path", "axes.grid": False}):
        second = plot.to_inline(plot.margins(run.passes, run.keys), name="m", alt="x")
        assert mpl.rcParams["font.size"] == 30.0
    assert first == second


def test_inline_pictures_are_described_and_large_ones_become_png(run):
    figure = plot.margins(run.passes, run.keys)
    svg = plot.to_inline(figure, name="m", alt='a "quoted" <alt> & more')
    assert svg.startswith("<svg")
    assert 'aria-label="a &quot;quoted&quot; &lt;alt&gt; &amp; more"' in svg
    assert "metadata" not in svg
    picture = plot.to_inline(figure, name="m", alt="x", limit_bytes=1000)
    assert picture.startswith('<img alt="x"')
    assert 'src="data:image/png;base64,' in picture


def test_names_with_mathematics_signs_are_plain_text(run):
    keys = run.keys.copy(deep=True)
    keys["station"] = keys["station"].str.replace("Beijing", "$x_1")
    assert "$x_1" in plot.to_inline(plot.keys_by_day(keys), name="k", alt="")


def test_importing_is_cheap_and_drawing_needs_no_pyplot():
    code = (
        "import sys, satqkd.plot, satqkd.report\n"
        "assert not {'matplotlib', 'rich', 'scipy', 'numba'} & set(sys.modules), 'heavy import'\n"
        "from satqkd.plot.style import message\n"
        "message('x').savefig(sys.argv[1])\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    import os
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.svg"
        subprocess.run([sys.executable, "-c", code, str(path)], check=True, env=os.environ, timeout=60)
        assert path.stat().st_size > 500
