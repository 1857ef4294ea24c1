"""Key of a zenith pass against extra loss.

How much worse than Micius may a link be before its best pass gives no finite key? The preset ``micius-zenith`` has a
measured link efficiency; its offset is the knob.
"""

import numpy as np
from matplotlib.figure import Figure

import satqkd

# Set-up: the same pass with 0 to 10 dB more loss.
zenith = satqkd.load_scenario("micius-zenith")
extra_db = np.arange(0.0, 10.1, 1.0)


def key_bits(offset_db):
    channel = zenith.channel.model_copy(update={"offset": offset_db})
    return int(satqkd.run(zenith.model_copy(update={"channel": channel})).keys.key_bits[0])


# Action
bits = np.array([key_bits(offset) for offset in extra_db])
margin_db = float(satqkd.run(zenith).keys.margin_db[0])
for offset, key in zip(extra_db, bits, strict=True):
    print(f"{offset:4.0f} dB  {key:8d} bit")
print(f"the finite key survives {margin_db:.1f} dB")

figure = Figure(figsize=(6.0, 3.6), layout="constrained")
axes = figure.subplots()
axes.plot(extra_db[bits > 0], bits[bits > 0], "o-")
axes.axvline(margin_db, color="0.5", linestyle="--", label="margin")
axes.set(xlabel="extra loss [dB]", ylabel="finite key of the pass [bit]", yscale="log")
axes.legend()

# Check: the key only falls, by more than the loss itself, and ends where the margin says.
assert (np.diff(bits) <= 0).all()
assert bits[3] < bits[0] / 2
assert ((bits > 0) == (extra_db <= margin_db)).all()
