"""Passes of a satellite over a station.

Which nights can Micius serve Urumqi in the week of 19 September 2016? A pass counts while the satellite is above 10
degrees and the Sun below the station's horizon.
"""

import satqkd
from satqkd.orbit.passes import find_passes

# Set-up: the preset's week, one of its stations.
week = satqkd.load_scenario("micius-china-week")
urumqi = next(station for station in week.stations if station.name == "Urumqi")
mission = week.model_copy(update={"stations": (urumqi,)})

# Action
passes = find_passes(mission)
for number in range(passes.sizes["pass"]):
    row = passes.isel({"pass": number})
    print(f"{row.start.values!s:.19}  {float(row.duration_s):4.0f} s  up to {float(row.max_elevation_deg):4.1f} deg")

# Check: at least one pass a night, and the highest pass is nearer than the lowest.
assert len({str(start)[:10] for start in passes.start.values}) == 7
by_elevation = passes.sortby("max_elevation_deg")
assert by_elevation.min_slant_range_km[-1] < by_elevation.min_slant_range_km[0]
