"""Catalogue of hardware: the printed tables, their own cross-checks, refusals."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from satqkd.errors import InputError
from satqkd.scenario import preset_text
from satqkd.scenario.catalogue import DETECTORS, FILTERS, LASERS, SURVEY, detector, laser, optical_filter
from satqkd.scenario.load import load_scenario, validate_scenario
from satqkd.scenario.model import Scenario

NM = {656: 656.448e-9, 854: 854.445e-9, 1550: 1550.027e-9}


@pytest.mark.parametrize(
    ("name", "nanometres", "numbers"),
    # Table 4: efficiency, dark counts, afterpulsing
    [
        ("snspd-spec-a", 656, (0.85, 10.0, 0.0)), ("snspd-spec-b", 656, (0.95, 0.1, 0.0)),
        ("snspd-spec-a", 854, (0.85, 10.0, 0.0)), ("snspd-spec-b", 854, (0.95, 0.1, 0.0)),
        ("snspd-spec-a", 1550, (0.85, 10.0, 0.0)), ("snspd-spec-b", 1550, (0.95, 0.1, 0.0)),
        ("si-apd-spec-a", 656, (0.50, 100.0, 0.02)), ("si-apd-spec-b", 656, (0.70, 10.0, 0.005)),
        ("si-apd-spec-a", 854, (0.40, 100.0, 0.02)), ("si-apd-spec-b", 854, (0.50, 10.0, 0.005)),
        ("ingaas-apd-spec-a", 1550, (0.25, 300.0, 0.03)), ("ingaas-apd-spec-b", 1550, (0.35, 50.0, 0.01)),
    ],
)  # fmt: skip
def test_detectors_of_table_4(name: str, nanometres: int, numbers: tuple[float, ...]) -> None:
    found = detector(name, wavelength_m=NM[nanometres])
    assert (found.efficiency, found.dark_count_hz, found.p_afterpulse) == numbers
    assert "Table 4" in found.source


def test_table_4_has_no_other_rows_and_spec_b_is_the_better_one() -> None:
    assert sum(len(rows) for rows in DETECTORS.values()) == 12
    for name in ("snspd", "si-apd", "ingaas-apd"):
        for standard, high in zip(DETECTORS[f"{name}-spec-a"], DETECTORS[f"{name}-spec-b"], strict=True):
            assert high.efficiency > standard.efficiency
            assert high.dark_count_hz < standard.dark_count_hz
            assert high.p_afterpulse <= standard.p_afterpulse


@pytest.mark.parametrize(
    ("name", "nanometres", "width_nm", "last_digit"),
    [
        ("thorlabs-fpqfa", 656, 0.043, 0.001), ("thorlabs-fpqfa", 854, 0.072, 0.001),
        ("thorlabs-fpqfa", 1550, 0.24, 0.01), ("alluxa-ultra", 656, 0.1, 0.01), ("alluxa-ultra", 854, 0.75, 0.01),
        ("alluxa-ultra", 1550, 1.8, 0.1), ("optigrate-braggrate", 656, 0.014, 0.001),
        ("optigrate-braggrate", 854, 0.024, 0.001), ("optigrate-braggrate", 1550, 0.08, 0.01),
    ],
)  # fmt: skip
def test_both_widths_of_table_8_agree(name: str, nanometres: int, width_nm: float, last_digit: float) -> None:
    found = optical_filter(name, wavelength_m=NM[nanometres])
    assert found.width_m * 1e9 == pytest.approx(
        width_nm, abs=1.1 * last_digit
    )  # rounded, "about": 0.0731 is printed 0.072


def test_one_row_of_table_8_contradicts_itself() -> None:
    found = optical_filter("exail-ixc-fbg-ps", wavelength_m=NM[1550])
    assert found.width_hz == 1e9
    assert found.width_m * 1e9 == pytest.approx(0.00801, abs=1e-5)  # printed: ~0.006 nm
    assert sum(len(rows) for rows in FILTERS.values()) == 10


def test_lasers_of_table_7_cover_the_three_wavelengths() -> None:
    covering = {"crystalaser": 656, "solstis": 854, "menhir-photonics": 1550}
    assert set(LASERS) == set(covering)
    assert [laser(name, wavelength_m=NM[nm]).beam_quality_below for name, nm in covering.items()] == [1.1, 1.1, 1.05]


def test_survey_of_table_10() -> None:
    kinds = [row.technology for row in SURVEY.values()]
    assert [kinds.count(kind) for kind in ("si-apd", "ingaas-apd", "snspd")] == [9, 13, 4]
    picoquant = SURVEY["picoquant-tau-spad"]
    assert (picoquant.dark_count_hz.lowest, picoquant.dark_count_hz.highest) == (None, 20)
    assert picoquant.jitter_s.lowest == pytest.approx(350e-12, rel=1e-14)  # a unit conversion
    assert SURVEY["comandar-et-al"].dark_count_hz is None
    assert SURVEY["idq-id281-pro"].efficiency[810].lowest == 0.90
    for row in SURVEY.values():
        for bounds in row.efficiency.values():
            assert 0.0 < bounds.lowest <= (bounds.highest or 1.0) <= 1.0


def test_simulated_tiers_lie_within_the_survey() -> None:
    """Table 4 is chosen from Table 10: no tier is better than the best device."""
    for name, technology in [("snspd", "snspd"), ("si-apd", "si-apd"), ("ingaas-apd", "ingaas-apd")]:
        devices = [row for row in SURVEY.values() if row.technology == technology]
        for tier in DETECTORS[f"{name}-spec-b"]:
            best = [
                bounds.highest or 1.0
                for row in devices
                for nm, bounds in row.efficiency.items()
                if technology == "snspd" or abs(nm - tier.wavelength_m * 1e9) < 5
            ]
            assert tier.efficiency <= max(best)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: detector("snspd", wavelength_m=NM[854]), "detector = 'snspd': must be one of snspd-spec-a"),
        (
            lambda: detector("si-apd-spec-a", wavelength_m=NM[1550]),
            "no numbers for 1550.03 nm, only within",
        ),
        (lambda: optical_filter("exail-ixc-fbg-ps", wavelength_m=NM[854]), "no numbers for 854.445 nm"),
        (lambda: optical_filter("none", wavelength_m=NM[854]), "filter = 'none': must be one of thorlabs-fpqfa"),
        (lambda: laser("solstis", wavelength_m=NM[1550]), "1550.03 nm is outside its 700 to 1000 nm"),
        (lambda: laser("diode", wavelength_m=NM[854]), "laser = 'diode': must be one of crystalaser"),
    ],
)
def test_unknown_names_and_wavelengths_are_one_clear_line(call, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


class TestScenario:
    @staticmethod
    def scenario(wavelength: str, **stated: object):
        data = tomllib.loads(preset_text("micius-zenith"))
        data["source"]["wavelength"] = wavelength
        data["detector"] = {"background_yield": 1e-6, "misalignment": 0.005, **stated}
        return validate_scenario(data)

    def test_a_device_gives_the_numbers_that_are_not_stated(self) -> None:
        found = self.scenario("850 nm", device="si-apd-spec-b").detector
        assert (found.efficiency, found.afterpulse) == (0.50, 0.005)
        stated = self.scenario("850 nm", device="si-apd-spec-b", efficiency=0.45).detector
        assert (stated.efficiency, stated.afterpulse) == (0.45, 0.005)

    def test_what_is_written_out_reads_back_the_same(self) -> None:
        scenario = self.scenario("1550 nm", device="snspd-spec-a")
        assert validate_scenario(scenario.to_dict()) == scenario
        assert scenario.to_dict()["detector"]["efficiency"] == 0.85

    def test_without_a_device_nothing_changes(self) -> None:
        scenario = self.scenario("850 nm")
        assert scenario.detector.efficiency == 1.0
        assert "device" not in scenario.to_dict()["detector"]

    @pytest.mark.parametrize(
        ("wavelength", "device", "message"),
        [
            ("850 nm", "snspd", "detector.device: detector = 'snspd': must be one of snspd-spec-a"),
            ("1550 nm", "si-apd-spec-a", "no numbers for 1550 nm, only within 5 nm of 656.448, 854.445 nm"),
            ("1550 kg", "snspd-spec-a", "source.wavelength"),
        ],
    )
    def test_a_device_that_is_not_in_the_catalogue_is_one_clear_line(
        self, wavelength: str, device: str, message: str
    ) -> None:
        with pytest.raises(InputError, match=message) as caught:
            self.scenario(wavelength, device=device)
        assert "\n" not in str(caught.value)


class TestLasersAndFiltersOfScenarios:
    """Names instead of numbers, on the geostationary preset."""

    @staticmethod
    def scenario(changes: dict[str, dict[str, Any]], without: tuple[tuple[str, str], ...] = ()) -> Scenario:
        data = load_scenario("geo-europe").to_dict()
        for table, field in without:
            del data[table][field]
        for table, fields in changes.items():
            data[table].update(fields)
        return validate_scenario(data)

    def test_a_filter_gives_its_width(self) -> None:
        found = self.scenario({"background": {"filter": "alluxa-ultra"}}, (("background", "filter_width"),))
        assert found.background.filter_width == pytest.approx(310e9, rel=1e-12)
        stated = self.scenario({"background": {"filter": "alluxa-ultra", "filter_width": "20 GHz"}})
        assert stated.background.filter_width == pytest.approx(20e9, rel=1e-12)
        assert validate_scenario(found.to_dict()).hash == found.hash

    def test_a_laser_gives_its_beam_quality(self) -> None:
        found = self.scenario({"source": {"laser": "solstis"}}, (("terminal", "beam_quality"),))
        assert found.terminal.beam_quality == 1.1
        stated = self.scenario({"source": {"laser": "solstis"}, "terminal": {"beam_quality": 1.3}})
        assert stated.terminal.beam_quality == 1.3

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"source": {"laser": "solstice"}}, "source.laser: .*solstice.*solstis"),
            ({"source": {"laser": "menhir-photonics"}}, "source.laser: .*1545"),
            ({"background": {"filter": "exail-ixc-fbg-ps"}}, "background.filter: .*no numbers for"),
        ],
    )
    def test_what_does_not_fit_is_one_clear_line(self, changes: dict[str, dict[str, Any]], message: str) -> None:
        with pytest.raises(InputError, match=message):
            self.scenario(changes)
