"""Section of a run's report on background light."""

from __future__ import annotations

from satqkd import plot
from satqkd.report.page import Section, figure
from satqkd.report.run import Run, station_names
from satqkd.report.values import escape, integer, power_of_ten, table

__all__ = ["background"]


def background(run: Run) -> Section | None:
    """Noise over the window and its range at each station; nothing where it is a constant of the scenario."""
    if "sky_radiance" not in run.link or not run.keys.sizes["pass"]:
        return None
    alt = "Noise clicks per pulse of each station over time"
    body = figure(plot.to_inline(plot.noise_curves(run.link), name="noise", alt=alt), alt + ".")
    rows = []
    for name in station_names(run):
        one = run.link.sel(station=name)
        inside = one["pass_number"].values >= 0
        used = inside & one["usable"].values if "usable" in one else inside
        cells = [escape(name), integer(float(inside.sum())), integer(float((inside & ~used).sum()))]
        for variable in ("sky_radiance", "p_noise"):
            values = one[variable].values[used]
            cells += [power_of_ten(end) for end in (values.min(), values.max())] if values.size else ["–", "–"]
        rows.append(cells)
    radiance = "radiance [mW m<sup>-2</sup> nm<sup>-1</sup> sr<sup>-1</sup>]"
    header = ["Station", "Samples", "Not usable", f"Lowest {radiance}", f"Highest {radiance}", "Lowest noise per pulse",
              "Highest noise per pulse"]  # fmt: skip
    caption = "Samples that are too close to Sun or Moon, in a twilight that is not used, or too noisy give no key."
    return Section("background", "Background light", body + table(header, rows, caption=caption, css="sortable"))
