"""Where finite MDI-QKD keys start.

Two stations send to one satellite that measures, with equal and constant links for 266 s. How much loss can one pass,
or ten passes taken together, bear, and what do dark counts matter? Every point has its own optimised intensities,
probabilities and choice of basis.
"""

from satqkd.study.mdi_map import finite_key_map, largest_loss_db, plot_finite_key_map

# Set-up: a source of 1 GHz, and ten passes of it in one block, as many pulses as one of 10 GHz.
LOSSES_DB = [18.0, 21.0, 24.0, 27.0, 30.0, 33.0, 36.0, 39.0, 42.0, 45.0]
DARK_COUNTS = [1e-8, 1e-7, 1e-6, 1e-5]
RATES_HZ = [1e9, 1e10]

# Action
found = finite_key_map(loss_db=LOSSES_DB, p_dark=DARK_COUNTS, pulse_rate_hz=RATES_HZ, duration_s=266.0, shares=(1.0,))
figure = plot_finite_key_map(found)
reach = largest_loss_db(found)
for rate in RATES_HZ:
    for dark in DARK_COUNTS:
        loss = float(reach.sel(pulse_rate=rate, p_dark=dark))
        print(f"{rate / 1e9:4.0f} GHz, dark counts {dark:.0e}: keys up to {loss:.0f} dB for both links together")

# Check: ten times the pulses bear more loss; where pulses are what is missing, dark counts hardly matter.
keys = found["key_bits"]
assert bool((keys.sel(pulse_rate=1e10) >= keys.sel(pulse_rate=1e9)).all())
assert float(reach.sel(pulse_rate=1e10, p_dark=1e-7) - reach.sel(pulse_rate=1e9, p_dark=1e-7)) >= 6.0
best, worst = (float(keys.sel(pulse_rate=1e9, loss=21.0, p_dark=dark)) for dark in (1e-8, 1e-6))
assert 0.9 < worst / best < 1.0
