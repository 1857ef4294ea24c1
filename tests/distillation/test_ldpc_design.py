"""The script behind the shipped codes: density evolution against known thresholds, the tables made anew."""

from pathlib import Path

import numpy as np
import pytest

from satqkd.distillation.ldpc_codes import CIRCULANT, code_rows, load_code

TOOLS = Path(__file__).resolve().parents[2] / "tools"


@pytest.fixture(autouse=True)
def _tools(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))


@pytest.mark.parametrize(
    ("column_degree", "check_degree", "threshold"),
    # Richardson, Urbanke, IEEE Trans. Inf. Theory 47, 599 (2001): belief propagation, three digits
    [(3, 6, 0.084), (3, 5, 0.113), (3, 4, 0.167)],
)
def test_thresholds_of_regular_codes(column_degree, check_degree, threshold):
    from ldpc_density_evolution import threshold_qber

    found = threshold_qber({column_degree: 1.0}, column_degree / check_degree, accuracy=1e-3)
    # half of the last digit printed, and 0.5 % for the grid of reliabilities
    assert found == pytest.approx(threshold, abs=5e-4 + 5e-3 * threshold)


def test_stability_of_degree_two():
    """Cycle codes (2, 4): errors die out up to a QBER with 3 x 2 sqrt(Q (1 - Q)) = 1."""
    from ldpc_density_evolution import stability

    assert stability((1.0 - np.sqrt(8.0 / 9.0)) / 2.0, {2: 1.0}, {4: 1.0}) == pytest.approx(1.0, rel=1e-12)


def test_family_of_the_script_is_the_one_shipped():
    from design_ldpc import COLUMNS, family

    assert tuple(family()) == code_rows()
    assert load_code(0).columns == COLUMNS


@pytest.mark.parametrize("index", [48])
def test_the_same_seed_makes_the_same_table(index):
    from design_ldpc import COLUMNS, profile
    from ldpc_construct import construct

    rows = code_rows()[index]
    table = construct(profile(rows), rows=rows, columns=COLUMNS, circulant=CIRCULANT, seed=1 + index)
    code = load_code(index)
    for key in ("row_start", "row_middle", "column", "shift"):
        np.testing.assert_array_equal(table[key], getattr(code, key))


@pytest.mark.parametrize("rows", [75, 172, 700])
def test_profiles_between_two_designs(rows):
    from design_ldpc import profile
    from ldpc_construct import column_degrees

    found = profile(rows)
    assert sum(found.values()) == pytest.approx(1.0, rel=1e-12)
    degrees = column_degrees(found, 2000, rows)
    mean = sum(degree * fraction for degree, fraction in found.items())
    # 2000 columns: each of a dozen degrees is rounded by up to one column of degree 30
    assert degrees.mean() == pytest.approx(mean, abs=0.01)
    assert np.count_nonzero(degrees == 2) < rows
