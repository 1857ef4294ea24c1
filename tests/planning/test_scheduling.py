"""Schedules for every objective: brute force, mixed-integer programs, the reference week, invariances, bad input."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import lil_array

import satqkd
from satqkd.errors import InputError
from satqkd.planning import schedule, trade_off
from satqkd.planning.divergence import kl_divergence

# Population of the cities in millions (weights of Wang et al., Fig. 9).
POPULATION = (24.87, 21.89, 20.94, 18.68, 12.33, 12.95, 9.07, 9.37, 9.20, 4.05, 0.87)

Table = dict[str, Any]


def table_of(bits: np.ndarray, interval: Any = None) -> Table:
    index = range(len(bits)) if interval is None else interval
    return {"interval": list(index), **{f"s{n}": column.tolist() for n, column in enumerate(np.transpose(bits))}}


def by_name(weights: Any) -> dict[str, float]:
    return {f"s{n}": float(weight) for n, weight in enumerate(weights)}


def deliveries(bits: np.ndarray, interval: np.ndarray, switch: int) -> np.ndarray:
    """What every feasible plan delivers, one row each, by trying all assignments."""
    found = set()
    for plan in itertools.product(range(-1, bits.shape[1]), repeat=len(bits)):
        served = [(int(i), n) for i, n in zip(interval, plan, strict=True) if n >= 0]
        if all(a == b or j - i > switch for (i, a), (j, b) in itertools.pairwise(served)):
            total = np.zeros(bits.shape[1])
            for row, n in enumerate(plan):
                if n >= 0:
                    total[n] += bits[row, n]
            found.add(tuple(total))
    return np.array(sorted(found))


@st.composite
def instances(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int, np.ndarray]:
    rows, stations = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    cells = st.lists(st.integers(0, 9), min_size=stations, max_size=stations)
    bits = np.array(draw(st.lists(cells, min_size=rows, max_size=rows)), dtype=float)
    interval = np.cumsum(draw(st.lists(st.integers(1, 3), min_size=rows, max_size=rows)))
    weights = np.array(draw(st.lists(st.integers(0, 3), min_size=stations, max_size=stations).filter(any)), dtype=float)
    return bits, interval, draw(st.integers(0, 3)), weights


@settings(max_examples=15, deadline=None, derandomize=True)
@given(instances(), st.sampled_from([0.0, 0.03, 0.1, 0.3, 0.7]))
def test_equals_brute_force(instance: tuple[np.ndarray, np.ndarray, int, np.ndarray], kl_max: float) -> None:
    bits, interval, switch, weights = instance
    all_plans, q = deliveries(bits, interval, switch), weights / weights.sum()
    keys = table_of(bits, interval)
    options: dict[str, Any] = {"weights": by_name(weights), "switch_intervals": switch, "gap": 0.0}
    # Totals are sums of small integers: exact. Weighted ones are rounded.
    assert schedule(keys, **options).value == all_plans.sum(axis=1).max()
    assert schedule(keys, objective="priority", **options).value == pytest.approx((all_plans @ q).max(), rel=1e-12)
    smallest = (all_plans[:, q > 0] / q[q > 0]).min(axis=1).max()
    fair = schedule(keys, objective="max-min", **options)
    assert fair.value == pytest.approx(smallest, rel=1e-12)
    assert fair.status == "optimal"
    allowed = all_plans[(all_plans[:, q == 0].sum(axis=1) == 0) & (all_plans.sum(axis=1) > 0)]
    divergence = np.array([kl_divergence(bits, q) for bits in allowed])
    if (divergence <= kl_max).any():
        plan = schedule(keys, objective="traffic", kl_max=kl_max, **options)
        assert plan.value == allowed[divergence <= kl_max].sum(axis=1).max()
        assert plan.status == "optimal"
    elif len(allowed):
        with pytest.raises(InputError, match="smallest reachable is") as refused:
            schedule(keys, objective="traffic", kl_max=kl_max, **options)
        said = float(str(refused.value).rsplit(" ", 1)[1])
        assert said == pytest.approx(divergence.min(), rel=1.1e-4)  # five digits, rounded up
        at_least = schedule(keys, objective="traffic", kl_max=said, **options)
        assert at_least.kl == pytest.approx(divergence.min(), rel=1.1e-4)
    else:
        with pytest.raises(InputError, match="no shares"):
            schedule(keys, objective="traffic", kl_max=kl_max, **options)


def mixed_integer(bits: np.ndarray, switch: int, weights: np.ndarray | None) -> float:
    """Eq. 7 of Wang et al. as a mixed-integer program: most bits, or the largest smallest share."""
    rows, stations = bits.shape
    unknowns = rows * stations + 1  # services, then the smallest share
    constraints = []
    for m, n in itertools.product(range(rows), range(stations)):
        for earlier in range(max(m - switch, 0), m + 1):
            row = np.zeros(unknowns)
            row[m * stations + n] = 1
            row[earlier * stations : (earlier + 1) * stations] = 1
            if earlier < m:
                row[earlier * stations + n] = 0
            constraints.append(row)
    high = [1.0] * len(constraints)
    cost = np.append(-bits.ravel(), 0.0)
    if weights is not None:
        cost = np.append(np.zeros(rows * stations), -1.0)
        for n in range(stations):
            row = np.zeros(unknowns)
            row[n:-1:stations] = -bits[:, n]
            row[-1] = weights[n]
            constraints.append(row)
            high.append(0.0)
    solved = milp(
        cost, integrality=np.append(np.ones(rows * stations), 0),
        bounds=Bounds(0, np.append(np.ones(unknowns - 1), np.inf)),
        constraints=LinearConstraint(lil_array(np.array(constraints)).tocsr(), -np.inf, high),
        options={"mip_rel_gap": 0.0},
    )  # fmt: skip
    return float(-solved.fun)


@pytest.mark.parametrize("switch", [1, 2])
def test_equals_a_mixed_integer_program(switch: int) -> None:
    bits = np.random.default_rng(switch).integers(0, 100, (14, 3)).astype(float)
    q = np.array([0.5, 0.3, 0.2])
    options: dict[str, Any] = {"weights": by_name(q), "switch_intervals": switch, "gap": 0.0}
    # The program's own tolerance is 1e-6.
    assert schedule(table_of(bits), **options).value == pytest.approx(mixed_integer(bits, switch, None), rel=1e-6)
    fair = schedule(table_of(bits), objective="max-min", **options)
    assert fair.value == pytest.approx(mixed_integer(bits, switch, q), rel=1e-6)
    assert fair.gap == 0.0


@pytest.fixture(scope="module")
def week(request: pytest.FixtureRequest) -> tuple[Table, dict[str, float]]:
    path = request.config.rootpath / "tests/golden/schedule_china_week.csv"
    names = path.read_text(encoding="utf-8").splitlines()[0].split(",")
    columns = np.loadtxt(path, delimiter=",", skiprows=1).T
    return dict(zip(names, columns, strict=True)), dict(zip(names[1:], POPULATION, strict=True))


def test_reference_week_general_and_priority(week: tuple[Table, dict[str, float]]) -> None:
    keys, weights = week
    most = schedule(keys)
    assert (most.value, most.bound, most.gap, most.status) == (847_364_243, 847_364_243, 0.0, "optimal")
    assert most.kl is None
    first = schedule(keys, objective="priority", weights=weights)
    # Optimum of a mixed-integer program, printed to five decimals.
    assert first.value == pytest.approx(79_704_303.75329, abs=1e-5)
    assert sum(first.delivered_bits.values()) == 739_471_486
    assert first.delivered_bits["Hefei"] == first.delivered_bits["Jinan"] == 0.0


@pytest.mark.parametrize(("kl_max", "gap"), [(0.3, 1e-3), (0.1, 1e-3), (0.03, 2.5e-3), (0.01, 5e-3)])
def test_reference_week_by_traffic(week: tuple[Table, dict[str, float]], kl_max: float, gap: float) -> None:
    keys, weights = week
    plan = schedule(keys, objective="traffic", weights=weights, kl_max=kl_max, gap=gap)
    assert plan.status == "within gap"
    assert 0.0 <= plan.gap <= gap
    delivered, q = np.array(list(plan.delivered_bits.values())), np.array(POPULATION) / sum(POPULATION)
    assert float(np.sum(delivered / delivered.sum() * np.log(delivered / delivered.sum() / q))) <= kl_max
    # The bound is that of all mixtures of schedules, computed apart to five digits, or better.
    mixtures = {0.3: 750.59e6, 0.1: 646.84e6, 0.03: 596.73e6, 0.01: 572.48e6}[kl_max]
    assert plan.bound == pytest.approx(mixtures, rel=2e-3)


def test_time_limit_returns_what_was_found(week: tuple[Table, dict[str, float]]) -> None:
    keys, weights = week
    plan = schedule(keys, objective="traffic", weights=weights, kl_max=0.03, time_limit_s=1e-3, gap=0.0)
    assert plan.status == "time limit"
    assert plan.kl is not None
    assert 0.0 <= plan.kl <= 0.03
    assert 1e-6 < plan.gap < 1.0
    with pytest.raises(InputError, match=r"time_limit_s = 0.001: no schedule .* smallest found in the time limit is"):
        schedule(keys, objective="traffic", weights=weights, kl_max=1e-12, time_limit_s=1e-3)


BITS = np.random.default_rng(7).integers(1, 60, (9, 3)).astype(float)
SHARES = np.array([0.5, 0.3, 0.2])
GOALS: list[dict[str, Any]] = [
    {"objective": "general"},
    {"objective": "priority"},
    {"objective": "traffic", "kl_max": 0.05},
    {"objective": "max-min"},
]


def value(bits: np.ndarray, weights: np.ndarray, interval: Any = None, **goal: Any) -> float:
    return schedule(table_of(bits, interval), weights=by_name(weights), gap=0.0, **goal).value


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: goal["objective"])
def test_invariances(goal: dict[str, Any]) -> None:
    plain = value(BITS, SHARES, **goal)
    assert value(1024.0 * BITS, SHARES, **goal) == pytest.approx(1024.0 * plain, rel=1e-12)
    assert value(BITS / 3.0, 5.0 * SHARES, **goal) == pytest.approx(plain / 3.0, rel=1e-9)
    assert value(BITS[:, [2, 0, 1]], SHARES[[2, 0, 1]], **goal) == pytest.approx(plain, rel=1e-12)
    useless = np.column_stack([BITS, np.zeros(len(BITS))])
    assert value(useless, np.append(SHARES, 0.0), **goal) == pytest.approx(plain, rel=1e-12)
    # A long gap in the index, the same with rows of no bits in it, and a gap just as long as a switch.
    gaps = [*range(4), *range(9, 14)]
    idle = np.insert(BITS, 4, np.zeros((3, 3)), axis=0)
    apart = value(BITS, SHARES, gaps, **goal)
    assert value(idle, SHARES, [*range(4), 5, 6, 7, *range(9, 14)], **goal) == pytest.approx(apart, rel=1e-12)
    assert value(BITS, SHARES, [*range(4), *range(5, 10)], **goal) == pytest.approx(apart, rel=1e-12)


def test_keys_as_an_array_in_any_order() -> None:
    array = xr.DataArray(
        BITS[None], dims=("satellite", "interval", "station"),
        coords={"satellite": ["sat"], "interval": np.arange(9) + 5, "station": ["s0", "s1", "s2"]},
    )  # fmt: skip
    plan = satqkd.planning.schedule(array.transpose("station", "interval", "satellite"))
    assert plan.value == value(BITS, SHARES)
    assert plan.assignment.dims == ("satellite", "interval")
    assert plan.assignment.satellite.values.tolist() == ["sat"]
    assert plan.assignment.interval.values.tolist() == list(range(5, 14))
    assert float(plan.bits.sum()) == plan.value
    assert schedule(array[0]).value == plan.value
    shuffled = {name: np.array(column)[::-1] for name, column in table_of(BITS).items()}
    assert schedule(shuffled).assignment.values.tolist() == plan.assignment.values.tolist()


def test_nothing_to_deliver_is_idle() -> None:
    plan = schedule(table_of(np.zeros((3, 2))), weights=by_name([1, 1]))
    assert (plan.value, plan.gap, plan.kl, plan.assignment.values.tolist()) == (0.0, 0.0, None, [[-1, -1, -1]])


def test_trade_off_falls_with_the_limit() -> None:
    limits = (0.5, 0.05, 0.1, 0.2)
    curve = trade_off(table_of(BITS), weights=by_name(SHARES), kl_max=limits, gap=0.0)
    assert curve.kl_max.values.tolist() == sorted(limits)
    expected = [value(BITS, SHARES, objective="traffic", kl_max=limit) for limit in sorted(limits)]
    np.testing.assert_allclose(curve.total_bits, expected, rtol=1e-12)  # both optimal, sums of integers
    assert np.all(np.diff(curve.total_bits) >= 0.0)
    assert np.all(curve.kl.values <= curve.kl_max.values)
    np.testing.assert_allclose(curve.delivered_bits.sum("station"), curve.total_bits, rtol=1e-15)
    with pytest.raises(InputError, match="at least one limit"):
        trade_off(table_of(BITS), weights=by_name(SHARES), kl_max=())


DIMS = ("interval", "station")
GOOD: dict[str, Any] = {"keys": table_of(BITS[:3]), "objective": "traffic", "weights": by_name(SHARES), "kl_max": 0.5}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"weights": {"s0": 1, "s1": 1}}, "weights do not match the stations: none for s2"),
        ({"weights": by_name([1, 1, 1, 1])}, "unknown s3"),
        ({"weights": by_name([0, 0, 0])}, "weights: all are zero"),
        ({"weights": by_name([1, -1, 1])}, "weights: -1 for s1: must be finite and at least 0"),
        ({"weights": by_name([1, np.nan, 1])}, "weights: nan for s1"),
        ({"weights": {"s0": 1, "s1": "many", "s2": 1}}, "weights: 'many' for s1 is not a number"),
        ({"weights": None}, "weights are needed for objective 'traffic'"),
        ({"keys": table_of(-BITS[:3])}, "bits for s0 in interval 0: must be finite and at least 0"),
        ({"keys": table_of(np.full((3, BITS.shape[1]), 1e308))}, "1e+308 bits in an interval add up to more"),
        ({"keys": table_of(BITS[:3] * np.inf)}, "inf bits for s0"),
        ({"keys": table_of(BITS[:3], [1, 4, 4])}, "interval 4 is listed more than once"),
        ({"keys": table_of(BITS[:3], [1, 4.5, 5])}, "interval 4.5 is not a whole number"),
        ({"keys": table_of(BITS[:3], ["a", "b", "c"])}, "interval must be whole numbers"),
        ({"keys": {"interval": [], "s0": []}}, "keys: empty, 1 satellites, 0 intervals and 1 stations"),
        ({"keys": {"interval": [1, 2]}}, "keys: empty"),
        ({"keys": {"s0": [1, 2]}}, "no column 'interval' among s0"),
        ({"keys": {"interval": [1, 2], "s0": [1]}}, "column s0 has 1 rows, column interval has 2"),
        ({"keys": {"interval": [1], "s0": ["x"]}}, "column s0: bits must be numbers"),
        ({"keys": 3}, "keys: a int; a DataArray"),
        ({"keys": xr.DataArray(np.ones((2, 2)), dims=("time", "station"))}, "dims ('time', 'station')"),
        ({"keys": xr.DataArray(BITS, dims=DIMS, coords={"station": ["a", "a", "b"]})}, "station a is listed 2 times"),
        ({"objective": "best"}, "objective 'best': unknown; known are general, priority, traffic, max-min"),
        ({"objective": "general"}, "kl_max means nothing to objective 'general'"),
        ({"kl_max": None}, "kl_max is needed for objective 'traffic'"),
        ({"kl_max": -0.1}, "kl_max = -0.1: must be a finite number"),
        ({"kl_max": np.nan}, "kl_max = nan"),
        ({"kl_max": 1e-4}, "no schedule of these keys is that close; the smallest reachable is"),
        ({"time_limit_s": 0.0}, "time_limit_s = 0: must be positive"),
        ({"time_limit_s": np.nan}, "time_limit_s = nan"),
        ({"gap": 1.0}, "gap = 1: must be in [0, 1)"),
        ({"switch_intervals": -1}, "switch_intervals = -1"),
        ({"switch_intervals": 1.5}, "switch_intervals = 1.5"),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_line(change: dict[str, Any], complaint: str) -> None:
    arguments = GOOD | change
    with pytest.raises(InputError) as refused:
        schedule(arguments.pop("keys"), **arguments)
    assert complaint in str(refused.value)
    assert "\n" not in str(refused.value)
