"""Budgets of the stations and their noise."""

from __future__ import annotations

import numpy as np
import pytest

from satqkd import plot


def test_bars_of_a_station_add_up_to_its_loss_at_the_highest_elevation(run):
    axes = plot.station_budgets(run.link, run.keys).axes[0]
    names = [label.get_text().partition(",")[0] for label in axes.get_yticklabels()]
    order = plot.best_passes(run.keys)
    for index, name in enumerate(names):
        best = order[run.keys["station"].values[order] == name][0]
        samples = plot.pass_samples(run.link, int(best))
        top = samples.isel(time=int(np.argmax(samples["elevation"].values)))
        widths = sum(container[index].get_width() for container in axes.containers)
        assert widths == pytest.approx(float(top["loss_total_db"]), rel=1e-12)  # a sum in another order
    assert len(axes.containers) == 5


def test_station_without_light_has_no_bar_and_empty_runs_say_so(run, empty_run):
    link = run.link.copy(deep=True)
    for name in ("loss_atmosphere_db", "loss_total_db"):
        link[name][0] = np.inf
    axes = plot.station_budgets(link, run.keys).axes[0]
    assert len(axes.get_yticklabels()) == len(axes.containers[0]) + 1
    for figure in (plot.station_budgets(empty_run.link, empty_run.keys), plot.noise_curves(empty_run.link)):
        assert "No pass" in figure.axes[0].texts[0].get_text()


def test_noise_has_gaps_where_the_link_is_not_used_and_between_passes(run):
    link = run.link.copy(deep=True)
    inside = link["pass_number"].values >= 0
    link["p_noise"] = (link["p_noise"].dims, np.where(inside, 3e-6, np.nan))
    whole = plot.noise_curves(link).axes[0]
    usable = inside.copy()
    first = np.argwhere(inside[0, 0])[:2, 0]
    usable[0, 0, first] = False
    link["usable"] = (link["p_noise"].dims, usable)
    cut = plot.noise_curves(link).axes[0]
    drawn = [np.isfinite(axes.lines[0].get_ydata()).sum() for axes in (whole, cut)]
    assert drawn == [inside[0].any(axis=0).sum(), inside[0].any(axis=0).sum() - 2]
    steps = np.diff(link["time"].values)
    gaps = int((steps > 1.5 * steps.min()).sum())
    assert gaps >= 1
    assert len(whole.lines[0].get_xdata()) == link.sizes["time"] + gaps
