"""The result of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from satqkd.scenario.model import Scenario

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["RunResult"]


@dataclass(frozen=True)
class RunResult:
    """Everything a run found, and what it came from.

    Parameters
    ----------
    scenario : Scenario
        The mission.
    passes, link, keys, schedule : xarray.Dataset
        Output of the stages.
    provenance : mapping
        Version, scenario hash, seed, wall time per stage, citations of the models used, warnings, and the security
        parameter of the mission.
    """

    scenario: Scenario
    passes: xr.Dataset
    link: xr.Dataset
    keys: xr.Dataset
    schedule: xr.Dataset
    provenance: Mapping[str, Any]

    def report(self) -> str:
        """The report as one self-contained HTML page."""
        from satqkd.report.html import render

        return render(self)

    def save(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Write all files of the run; see :func:`satqkd.study.storage.save_result`.

        Parameters
        ----------
        folder : str or Path
            New or empty folder, or one that holds a run.
        overwrite : bool
            Whether a run in the folder may be replaced.

        Returns
        -------
        Path
            The folder.
        """
        from satqkd.study.storage import save_result

        return save_result(self, folder, overwrite=overwrite)

    def _repr_html_(self) -> str:
        from satqkd.report.summary import html_summary

        return html_summary(self)
