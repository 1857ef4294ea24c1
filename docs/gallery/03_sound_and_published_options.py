"""Sound and published finite-key options.

A published formula can promise more than can be proved, or less than can be had. What do the choices of
:func:`satqkd.security.lim2014.key_length` change for one pass? The defaults are the sound ones.
"""

from satqkd.security.lim2014 import key_length

# Set-up: 300 s at 35 dB with the detectors of Sidhu et al..
PASS = {
    "transmittance": [10**-3.5] * 300,
    "pulses_per_slot": 1e8,
    "intensities": (0.7, 0.1, 0.0),
    "intensity_probabilities": (0.75, 0.18, 0.07),
    "p_key_basis": 0.8,
    "p_extraneous": 5e-7,
    "qber_intrinsic": 0.005,
}
CHOICES = {
    "sound (defaults)": {},
    "sampling of Lim et al. 2014": {"sampling": "lim2014"},
    "leakage: least any code can leak": {"leakage": "finite"},
    "leakage: as published, mixed logarithms": {"leakage": "published"},
    "leakage: constant inefficiency": {"leakage": "block"},
    "Hoeffding's inequality": {"bound": "hoeffding"},
    "no finite-key terms at all": {"bound": "asymptotic"},
}

# Action
keys = {name: key_length(**PASS, **options) for name, options in CHOICES.items()}
sound = keys["sound (defaults)"]
for name, key in keys.items():
    difference = 100.0 * (key.key_bits / sound.key_bits - 1.0)
    print(f"{name:40s} {key.key_bits:8d} bit  {difference:+6.1f} %")

# Check: limits promise more, a weaker inequality gives less, and nothing else changed.
assert sound.reason is None
assert keys["leakage: least any code can leak"].key_bits > sound.key_bits
assert keys["leakage: as published, mixed logarithms"].key_bits > sound.key_bits
assert keys["no finite-key terms at all"].key_bits > sound.key_bits
assert keys["Hoeffding's inequality"].key_bits < sound.key_bits
assert len({key.sifted_bits for key in keys.values()}) == 1
