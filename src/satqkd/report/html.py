"""Report of a run: one HTML file that stands on its own."""

from __future__ import annotations

from satqkd.report import sections
from satqkd.report.noise import background
from satqkd.report.page import page
from satqkd.report.run import Run, heading, station_names
from satqkd.report.values import escape, window_text

__all__ = ["render"]


def render(result: Run) -> str:
    """Write the report of a run.

    Parameters
    ----------
    result : RunResult
        A finished run, with or without passes.

    Returns
    -------
    str
        HTML with pictures and style inside; it loads nothing. The same run gives the same text, byte for byte.
    """
    scenario = result.scenario
    satellites = ", ".join(satellite.name for satellite in scenario.satellites[:6])
    if len(scenario.satellites) > 6:
        satellites += f" and {len(scenario.satellites) - 6} more"
    names = station_names(result)
    where = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
    description = " ".join(scenario.description.split())
    lead = (
        f'<p class="lead">{escape(satellites)} over {len(names)} {"station" if len(names) == 1 else "stations"} '
        f"({escape(where)}), <time>{escape(window_text(scenario.study.start, scenario.study.end))}</time>.</p>"
    )
    if description:
        lead += f"<p>{escape(description)}</p>"
    built = [
        sections.warnings(result), sections.map_(result), sections.timeline(result), sections.best_pass(result),
        sections.loss_budget(result), background(result), sections.keys(result), sections.no_key(result),
        sections.passes(result), sections.schedule(result), sections.security(result), sections.provenance(result),
    ]  # fmt: skip
    return page(
        title=f"{heading(result)} - satqkd report",
        kind=f"Satellite QKD mission report: {scenario.name}",
        heading=heading(result),
        lead=lead,
        top=sections.headline(result),
        sections=[section for section in built if section is not None],
    )
