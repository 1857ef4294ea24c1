"""Write src/satqkd/orbit/data/ut1_minus_tai.csv from an IERS ``finals2000A.all`` file.

Usage: python tools/make_ut1_table.py [finals2000A.all]

Without an argument the file that the test dependency skyfield-data carries is read; the package
astropy-iers-data has one of its week. IERS data are public.
Columns of the file (1-based): 8-15 modified Julian date, 58 flag (I: measured, P: predicted),
59-68 UT1-UTC in seconds of Bulletin A.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np

from satqkd.orbit.time import tai_minus_utc_s

STEP_DAYS = 30
TARGET = Path(__file__).parents[1] / "src" / "satqkd" / "orbit" / "data" / "ut1_minus_tai.csv"


def finals_rows(path: Path) -> tuple[list[int], list[float], list[str]]:
    """Modified Julian dates, UT1-UTC in seconds and flags of the rows that have a value."""
    rows = [
        (int(float(line[7:15])), float(line[58:68]), line[57])
        for line in path.read_text(encoding="ascii").splitlines()
        if line[58:68].strip()
    ]
    mjd, ut1_utc_s, flags = zip(*rows, strict=True)
    return list(mjd), list(ut1_utc_s), list(flags)


def default_path() -> Path:
    """The file of skyfield-data (its age warning does not matter here)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from skyfield_data import get_skyfield_data_path  # type: ignore[import-untyped]

        return Path(get_skyfield_data_path()) / "finals2000A.all"


def main() -> None:
    """Write the table: every 30th day and the last one."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else default_path()
    mjd, ut1_utc_s, flags = finals_rows(path)
    dates = np.array(mjd, dtype="timedelta64[D]") + np.datetime64("1858-11-17")
    ut1_tai_s = np.array(ut1_utc_s) - tai_minus_utc_s(dates)
    keep = sorted({*range(0, len(mjd), STEP_DAYS), len(mjd) - 1})
    measured = dates[[flag == "I" for flag in flags]].max()
    lines = [
        f"# UT1-TAI from IERS finals2000A (Bulletin A), measured to {measured}, then predicted; public data",
        "# mjd_utc,ut1_minus_tai_s",
        *(f"{mjd[i]},{ut1_tai_s[i]:.5f}" for i in keep),
    ]
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text("\n".join(lines) + "\n", encoding="ascii")
    print(f"{TARGET}: {len(keep)} rows, {dates[0]} to {dates[-1]}")


if __name__ == "__main__":
    main()
