"""Compiled code of this very source, scenarios changed from a preset, small cloud files.

Property tests have no deadline, as machines can be busy, and draw the same examples each time, so that a change is
judged by what it changes; ``make search`` draws others.
"""

from __future__ import annotations

import copy
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from satqkd.scenario.load import load_scenario, validate_scenario
from satqkd.scenario.model import Scenario

# Numba looks at the file of a function only, not at what it calls: compiled callers of changed functions would be kept.
SOURCE = Path(__file__).resolve().parent.parent / "src" / "satqkd"
if "NUMBA_CACHE_DIR" not in os.environ:
    texts = [path.read_bytes() for path in sorted(SOURCE.rglob("*.py"))]
    compiled = b"".join(text for text in texts if b"numba" in text or b"_compiled" in text)
    name = hashlib.sha256(compiled).hexdigest()[:16]
    os.environ["NUMBA_CACHE_DIR"] = str(SOURCE.parent.parent / "build" / "numba" / name)

settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("new", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("SATQKD_EXAMPLES", "same"))


@pytest.fixture(scope="session")
def changed() -> Callable[..., Scenario]:
    """Preset with keys replaced: ``changed("micius-zenith", {"study.step": "10 s"})``."""

    def change(preset: str, changes: dict[str, Any]) -> Scenario:
        data = copy.deepcopy(load_scenario(preset).to_dict())
        for path, value in changes.items():
            *parents, last = path.split(".")
            place = data
            for key in parents:
                place = place[int(key) if isinstance(place, list) else key]
            place[last] = value
        return validate_scenario(data)

    return change


@pytest.fixture(scope="session")
def himawari_file() -> Callable[..., Path]:
    """Writer of a small file in the format of Himawari-8 L2 CLP, whole-degree cells, with JAXA's attributes."""
    import h5netcdf

    def write(
        folder: Path,
        time: str,
        thickness: Any,
        *,
        kind: Any = None,
        quality: Any = None,
        latitude_deg: Any = range(50, 19, -1),
        longitude_deg: Any = range(80, 126),
        leave_out: str = "",
    ) -> Path:
        latitude, longitude = np.array(latitude_deg, np.float32), np.array(longitude_deg, np.float32)
        shape = (latitude.size, longitude.size)
        cot = np.broadcast_to(np.asarray(thickness, float), shape)
        # the files hold -32766 and -32767 besides their missing_value
        packed = np.where(np.isnan(cot), -32766, np.round(np.nan_to_num(cot) / 0.01)).astype(np.int16)
        default_kind = np.where(np.isnan(cot), 255, np.where(cot > 0.0, 8, 0))
        # algorithm flag: 3 failed, 2 clear, 5 retrieved; the upper bits are set as by day over land
        default_quality = np.where(np.isnan(cot), 3, np.where(cot > 0.0, 5, 2)) | 0b0001_1100_0000_0000
        data = {
            "latitude": (("latitude",), latitude),
            "longitude": (("longitude",), longitude),
            "CLOT": (("latitude", "longitude"), packed),
            "CLTYPE": (("latitude", "longitude"), np.asarray(default_kind if kind is None else kind, np.uint8)),
            "QA": (("latitude", "longitude"), np.asarray(default_quality if quality is None else quality, np.uint16)),
        }
        path = folder / f"NC_H08_{time}_L2CLP010_FLDK.{shape[1]:05d}_{shape[0]:05d}.nc"
        with h5netcdf.File(path, "w") as file:
            file.dimensions = {"latitude": shape[0], "longitude": shape[1]}
            for name, (dims, values) in data.items():
                if name != leave_out:
                    file.create_variable(
                        name, dims, data=np.broadcast_to(values, tuple(file.dimensions[d].size for d in dims))
                    )
            if leave_out != "CLOT":
                file["CLOT"].attrs.update(
                    scale_factor=np.array([0.01], np.float32), add_offset=np.array([0.0], np.float32),
                    missing_value=np.array([-32768], np.int16), valid_min=np.array([0], np.int16),
                    valid_max=np.array([15000], np.int16),
                )  # fmt: skip
        return path

    return write
