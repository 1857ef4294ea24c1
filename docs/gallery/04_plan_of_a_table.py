"""A plan of a table, and what pairs of stations can use of it.

One satellite, three stations, bits per interval of 10 s as any program may have computed them. The plan with the most
key in all leaves Xi'an without any; what two stations can share is decided by the one that has less.
"""

from satqkd.formats.key_table import parse_keys
from satqkd.planning.key_usage import pair_traffic
from satqkd.study.plan import make_plan

# Set-up: two passes; an interval that is not listed is idle.
table = parse_keys("""
interval; Lhasa; Urumqi; Xi'an
100;      40;    70;     0
101;      60;    90;     30
102;      80;    60;     50
103;      90;    20;     60
104;      70;    0;      50
680;      0;     80;     30
681;      0;     90;     40
682;      0;     70;     60
""")
weights = {"Lhasa": 1.0, "Urumqi": 1.0, "Xi'an": 1.0}
traffic = pair_traffic(list(weights.values()))

# Action
plans = {name: make_plan(table, objective=name, weights=weights, traffic=traffic) for name in ("general", "max-min")}
for name, plan in plans.items():
    shared = plan.usages["network"]
    print(f"{name:8} {plan.schedule.delivered_bits}  pairs share {shared.shared_bits:.0f} bit")
    for contact in plan.contacts:
        print(f"         intervals {contact.first} to {contact.last}: {table.stations[contact.station]}")

# Check: the plan with the most key is not the one that pairs can use most of, and both are proven.
most, fair = plans["general"], plans["max-min"]
assert most.schedule.gap == 0.0
assert sum(most.schedule.delivered_bits.values()) > sum(fair.schedule.delivered_bits.values())
assert fair.usages["network"].shared_bits > most.usages["network"].shared_bits
