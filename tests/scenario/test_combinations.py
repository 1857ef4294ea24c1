"""Tables and keys that do not go together: one line each that names what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from satqkd.errors import InputError
from satqkd.scenario.load import load_scenario, validate_scenario
from satqkd.scenario.model import Scenario

Change = Callable[..., Scenario]
BEAM = {"model": "gaussian-beam", "turbulence": "urban", "extinction": "none"}
RADIANCE = {"kind": "radiance", "radiance": 1, "filter_width": "10 GHz", "gate": "1 ns"}


def test_hashes_of_older_scenarios_stay() -> None:
    """As they were before there was a Gaussian beam and a background."""
    hashes = {
        "micius-china-week": "0eabf871ed040b56e6b181f9e379e90057e531256799295ae1bafd5874c4940d",
        "micius-zenith": "1680da1bedde02a5b39dae32dcd2880b85867ba7f39a79d1eaa29f31407064ef",
    }
    assert {name: load_scenario(name).hash for name in hashes} == hashes


def test_a_constant_background_is_what_there_is_without_the_table(changed: Change) -> None:
    assert changed("micius-zenith", {"background": {"kind": "constant"}}).hash == load_scenario("micius-zenith").hash


def test_device_brings_its_dark_counts_where_they_are_used(changed: Change) -> None:
    assert load_scenario("geo-europe").detector.dark_count_rate == 0.1
    own = changed("geo-europe", {"detector.dark_count_rate": "7 Hz"})
    assert own.detector.dark_count_rate == 7.0
    device = {"device": "si-apd-spec-b", "background_yield": 1e-6, "misalignment": 0.01}
    assert changed("jinan-1", {"detector": device}).detector.dark_count_rate is None


@pytest.mark.parametrize(
    ("preset", "changes", "message"),
    [
        ("micius-china-week", {"terminal": {"pointing": 1.0}}, "needs a [terminal] with its divergence"),
        (
            "micius-china-week",
            {"terminal.aperture": "0.3 m"},
            'terminal: aperture is for channel.model "gaussian-beam"',
        ),
        ("micius-china-week", {"terminal.jitter": "1 urad"}, 'terminal: jitter is for channel.model "gaussian-beam"'),
        ("micius-china-week", {"receiver.optics": 0.5}, '"fixed-divergence" does not use it'),
        ("micius-china-week", {"receiver.coupling": "free-space"}, '"fixed-divergence" needs an efficiency'),
        ("micius-zenith", {"stations.0.turbulence": "urban"}, 'station "Delingha": turbulence is for'),
        (
            "micius-china-week",
            {"stations.2.receiver": {"aperture": 1, "field_of_view": 9}},
            'station "Chengdu": receiver: field_of_view is for',
        ),
        ("micius-china-week", {"stations.0.sky": "urban"}, 'sky is used with background.kind "sky" only'),
        ("jinan-1", {"channel.direction": "sideways"}, '"sideways" is not allowed: allowed are downlink, uplink'),
        ("jinan-1", {"channel.turbulence": "vacuum"}, "allowed are rural, urban, coastal, hv-5-7"),
        ("jinan-1", {"channel.extinction": "fog"}, "channel.extinction"),
        ("jinan-1", {"channel.extinction": "-1 dB"}, "channel.extinction"),
        ("jinan-1", {"channel.visibility": "0 km"}, '"0 km" is out of range: allowed is above 0 km'),
        ("jinan-1", {"channel.ao_bandwidth": "-1 Hz"}, "allowed is at least 0 Hz"),
        ("jinan-1", {"terminal.aperture": "-0.2 m"}, 'terminal.aperture: "-0.2 m" is out of range'),
        ("jinan-1", {"terminal": {"jitter": 0}}, "needs a [terminal] with its aperture"),
        ("jinan-1", {"terminal.divergence": "5 urad"}, "terminal.divergence: the beam has its own"),
        ("jinan-1", {"terminal.beam_quality": 0.9}, "terminal.beam_quality"),
        ("jinan-1", {"channel.spread": "vacuum"}, 'channel.spread "vacuum" is for direction "uplink" only'),
        ("jinan-1", {"channel.tip_tilt_bandwidth": 60}, "needs channel.ao_bandwidth"),
        ("jinan-1", {"receiver": None}, 'needs a [receiver] for station "Jinan"'),
        ("jinan-1", {"channel": BEAM | {"extinction": "atmosphere"}}, 'needs aerosol, of the channel or of "Jinan"'),
        (
            "jinan-1",
            {"channel": BEAM | {"extinction": "atmosphere", "aerosol": "rural"}},
            'needs visibility, of the channel or of "Jinan"',
        ),
        ("jinan-1", {"channel.extinction": "none"}, 'aerosol is used with channel.extinction "atmosphere" only'),
        ("jinan-1", {"receiver.obscuration": "0.28 m"}, "obscuration of 0.28 m must be smaller than the aperture"),
        (
            "jinan-1",
            {"receiver": {"aperture": 1, "coupling": "single-mode-fibre", "field_of_view": 9}},
            "a single-mode fibre has its own",
        ),
        (
            "jinan-1",
            {"receiver": {"aperture": 1, "coupling": "free-space-seeing"}},
            'coupling "free-space-seeing" needs a field_of_view',
        ),
        (
            "jinan-1",
            {"receiver": {"aperture": 1, "coupling": "free-space-seeing", "field_of_view": 9, "obscuration": 0.1}},
            "without obscuration",
        ),
        ("micius-ngari-uplink", {"terminal": {"aperture": 0.13}}, '"fixed-divergence" needs terminal.divergence'),
        ("micius-ngari-uplink", {"channel.ao_bandwidth": 130}, 'channel.ao_bandwidth is for direction "downlink"'),
        ("micius-ngari-uplink", {"receiver": None}, 'direction "uplink" needs a [receiver]'),
        (
            "micius-ngari-uplink",
            {"stations.0.receiver": {"aperture": 1}},
            'station "Ngari": receiver: in an uplink the receiver is on the satellite',
        ),
        ("micius-zenith", {"detector": {"misalignment": 0.01}}, "detector.background_yield: is missing"),
        (
            "micius-zenith",
            {"detector.dark_count_rate": 10},
            "detector.dark_count_rate is used with a [background] only",
        ),
        ("geo-europe", {"detector.background_yield": 1e-6}, 'follows from background.kind "sky"'),
        ("geo-europe", {"background.kind": "moon"}, '"moon" is not allowed'),
        ("geo-europe", {"background.gate": "0 ns"}, "background.gate"),
        ("geo-europe", {"background.site": "maritime"}, "allowed are rural, urban, coastal"),
        ("geo-europe", {"background.twilight": "dawn"}, "allowed are refuse, sunset, unusable"),
        (
            "geo-europe",
            {"detector": {"misalignment": 0.01, "efficiency": 0.5}},
            'background.kind "sky" needs detector.dark_count_rate',
        ),
        (
            "micius-zenith",
            {"background": RADIANCE, "detector": {"misalignment": 0.01, "dark_count_rate": 1}},
            'background.kind "radiance" needs channel.model "gaussian-beam"',
        ),
        (
            "jinan-1",
            {"background": RADIANCE, "detector": {"misalignment": 0.01, "dark_count_rate": 1}},
            "needs receiver.field_of_view, as the coupling is a number",
        ),
        (
            "micius-ngari-uplink",
            {
                "background": {"kind": "sky", "site": "rural", "filter_width": 10, "gate": 1},
                "detector": {"misalignment": 0.01, "dark_count_rate": 1},
            },
            'background.kind "sky" is for downlinks',
        ),
    ],
)
def test_wrong_combination_is_one_clear_line(
    changed: Change, preset: str, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        changed(preset, changes)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("preset", ["geo-europe", "micius-ngari-uplink", "jinan-1"])
def test_every_value_of_the_new_tables_is_part_of_the_identity(preset: str) -> None:
    data = load_scenario(preset).to_dict()
    hashes = {validate_scenario(data).hash}
    count = 1
    for table in ("terminal", "receiver", "background", "channel"):
        for key, value in data.get(table, {}).items():
            number, _, unit = str(value).partition(" ")
            try:
                other = f"{float(number) * 1.01 or 1.0:.17g} {unit}".strip()
            except ValueError:
                continue
            if (table == "receiver" and key == "optics") or (table, key) == ("terminal", "pointing"):
                other = "1.25 dB"
            if (table, key) == ("receiver", "coupling"):
                other = "2 dB"
            changed = {**data, table: {**data[table], key: other}}
            hashes.add(validate_scenario(changed).hash)
            count += 1
    assert count >= 7
    assert len(hashes) == count
