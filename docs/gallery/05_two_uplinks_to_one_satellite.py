"""Two uplinks to one satellite.

When two stations send to Micius at once, what must be controlled for their pulses to interfere there? Frequencies
differ by gigahertz, arrival times by milliseconds; this is how alike pulses are with laser ranging of a given quality.
"""

import numpy as np
from matplotlib.figure import Figure

from satqkd.study.interference import Interference
from satqkd.study.mdi_pass import mdi_pass

# Set-up: single ranges of 2 mm to 20 cm, a hundred of them at 1 kHz fitted by a parabola.
range_errors_m = (0.002, 0.02, 0.2)

# Action
passes = {error: mdi_pass("micius-delingha-lijiang", interference=Interference(range_error_m=error))
          for error in range_errors_m}  # fmt: skip
first = passes[range_errors_m[0]]
seconds = (first.time.values - first.time.values[0]) / np.timedelta64(1, "s")
span_ghz = first.relative_doppler.values / 1e9
print(f"{first.sizes['time']} s in common view, shifts differ by {span_ghz.min():.1f} to {span_ghz.max():.1f} GHz")
for error, made in passes.items():
    jitter_ps = float(made.residual_delay_jitter.max()) * 1e12
    print(f"{1e3 * error:4.0f} mm  {jitter_ps:6.1f} ps  overlap {float(made.mode_overlap.min()):.4f}")

figure = Figure(figsize=(6.0, 5.4), layout="constrained")
above, below = figure.subplots(2, sharex=True)
for name, shift in zip(first.station.values, first.doppler.values, strict=True):
    above.plot(seconds, shift / 1e9, label=name)
above.plot(seconds, span_ghz, "k--", label="difference")
above.set(ylabel="Doppler shift [GHz]")
above.legend()
for error, made in passes.items():
    below.plot(seconds, made.mode_overlap, label=f"{1e3 * error:g} mm")
below.set(xlabel="time in common view [s]", ylabel="overlap of the pulses")
below.legend(title="error of a range")

# Check: the difference is that of both shifts, and better ranging makes pulses more alike.
assert np.allclose(first.relative_doppler, first.doppler[0] - first.doppler[1], rtol=1e-9)
overlaps = [float(made.mode_overlap.min()) for made in passes.values()]
assert overlaps == sorted(overlaps, reverse=True)
assert overlaps[0] > 0.99 > overlaps[-1]
