"""The reconciliation of packets: efficiency, accounting, lost and repeated messages, refusals."""

import importlib.util
import math
import sys
from pathlib import Path

import numpy as np
import pytest

from satqkd.distillation._reconciliation_messages import (
    Kind,
    Message,
    Verdict,
    decode_message,
    qber_of,
    report_of,
    syndrome_qber,
)
from satqkd.distillation.ldpc_codes import code_rows, load_code
from satqkd.distillation.reconciliation import PACKET_BITS, Outcome, Receiver, Rules, Sender
from satqkd.errors import InputError

TOOL = Path(__file__).resolve().parents[2] / "tools" / "soak_reconciliation.py"


@pytest.fixture(scope="module")
def soak():
    """The script of `make soak`."""
    spec = importlib.util.spec_from_file_location(TOOL.stem, TOOL)
    module = importlib.util.module_from_spec(spec)
    sys.modules[TOOL.stem] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules[TOOL.stem]


EASY = Rules(start_efficiency=1.2)
"""More parities than are needed, where only the course of the messages matters: a third of the iterations."""


def packet_pair(qber, seed):
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2, PACKET_BITS, np.uint8)
    return bits, bits ^ (rng.random(PACKET_BITS) < qber).astype(np.uint8)


def exchange(sender, receiver, packet):
    """Deliver everything until the packet is over; all messages, in order."""
    messages = []
    while receiver.busy:
        for reply in receiver.work():
            messages.append(reply)
            answer = sender.receive(reply)
            if answer is not None:
                messages.append(answer)
                receiver.receive(answer)
    assert receiver.outcome(packet) == sender.outcome(packet)
    return messages


def reconciled(qber, seed, rules=None, expected=None):
    sender, receiver = Sender(rules), Receiver(rules)
    bits, noisy = packet_pair(qber, seed)
    first = sender.open(7, bits, qber=expected)
    receiver.open(7, noisy)
    receiver.receive(first)
    return sender, receiver, bits, [first, *exchange(sender, receiver, 7)]


@pytest.mark.parametrize("qber", [0.005, 0.01, 0.02, 0.04])
def test_efficiency(soak, qber):
    """64 packets of unknown QBER: the requirement on f, nothing undetected, at most 6 rounds, under 1 % given up."""
    tally = soak.run(qber, 64, 11)
    with_limit = soak.LIMITS[qber]
    assert soak.report(tally, threshold=False)
    assert tally.different == 0
    assert {outcome.status for outcome in tally.outcomes} == {"corrected"}
    # between Shannon's limit and the requirement
    assert tally.efficiency == pytest.approx(0.5 * (1.0 + with_limit), abs=0.5 * (with_limit - 1.0))


@pytest.mark.parametrize("qber", [0.022, 0.024])
def test_a_jump_of_the_error_rate_costs_a_second_syndrome_not_the_packet(soak, qber):
    """Twice the prior: all half rows of the first code come to 1.13 n h, which is at the edge of decoding."""
    outcomes = [soak.run(qber, 1, seed).outcomes[0] for seed in (1, 5)]
    assert {outcome.status for outcome in outcomes} == {"corrected"}
    assert any(outcome.parts["syndromes"] > int(outcome.code.removeprefix("qc")) * 50 for outcome in outcomes)
    assert max(outcome.rounds for outcome in outcomes) <= 6


def test_a_larger_code_before_an_attempt_forgets_the_earlier_one(soak):
    """A second syndrome that waits for more parities after an attempt with the first code has failed."""
    tally = soak.run(0.025700967619904366, 1, 1)
    assert tally.outcomes[0].status == "corrected"


def bits_of(message):
    """What a message reveals, from its bytes alone."""
    kind, field, payload = message[0], message[6], message[7:]
    if kind == Kind.SYNDROME:
        return "syndromes", code_rows()[field] * 50
    if kind == Kind.PARITIES:
        return "parities", len(payload) * 8 // 50 * 50
    return "acknowledgements", 1


@pytest.mark.parametrize(("qber", "seed"), [(0.003, 1), (0.03, 3)])
def test_every_revealed_bit_is_counted(qber, seed):
    """Counted again from the bytes that crossed the link."""
    sender, receiver, bits, messages = reconciled(qber, seed)
    outcome = sender.outcome(7)
    np.testing.assert_array_equal(receiver.corrected(7), bits)
    total: dict[str, int] = {}
    for message in messages:
        part, count = bits_of(message)
        total[part] = total.get(part, 0) + count
        if part == "acknowledgements" and len(message) > 7:
            total["qber_reports"] = total.get("qber_reports", 0) + 8 * (len(message) - 7)
    assert outcome.parts == total
    assert outcome.revealed_bits == sum(total.values())
    assert outcome.rounds == sum(message[0] != Kind.REPLY for message in messages) - 1 <= 6


def test_a_first_packet_with_an_unexpected_qber_begins_again_with_a_larger_code():
    sender, receiver, bits, messages = reconciled(0.06, 5, Rules(prior_qber=0.005))
    syndromes = [message for message in messages if message[0] == Kind.SYNDROME]
    assert len(syndromes) >= 2
    np.testing.assert_array_equal(receiver.corrected(7), bits)
    assert sender.outcome(7).parts["syndromes"] == sum(50 * code_rows()[message[6]] for message in syndromes)


def test_qber_above_the_threshold_is_rejected():
    sender, _, _, messages = reconciled(0.097, 6, expected=0.07)
    outcome = sender.outcome(7)
    assert outcome.status == "rejected"
    # standard deviation of the estimate: 2 %; grid: 1.1 %
    assert outcome.qber == pytest.approx(0.097, rel=0.08)
    assert len(messages) == 2


def test_what_cannot_be_decoded_is_abandoned_after_the_last_round():
    """Errors in pairs of rows that cancel: the weight looks like 1 %, the pattern is much heavier."""
    rules = Rules(max_rounds=2, step_efficiency=1e-4, start_efficiency=1.0001, start_excess=0.0)
    sender, receiver, _, _ = reconciled(0.01, 7, rules)
    outcome = sender.outcome(7)
    assert outcome.status == "abandoned"
    assert outcome.rounds == 2
    with pytest.raises(InputError, match="not corrected"):
        receiver.corrected(7)


def test_llr_option_reveals_bits_and_corrects():
    rules = Rules(disclosure="llr", start_efficiency=1.02)
    sender, receiver, bits, messages = reconciled(0.012, 9, rules)
    np.testing.assert_array_equal(receiver.corrected(7), bits)
    outcome = sender.outcome(7)
    revealed = sum(len(message) - 7 for message in messages if message[0] == Kind.BITS) * 8
    assert outcome.parts["bits"] == pytest.approx(revealed, abs=7 * outcome.rounds)
    assert outcome.parts["bits"] % 50 == 0


def test_positions_are_refused_unless_agreed():
    sender = Sender()
    bits, _ = packet_pair(0.01, 1)
    sender.open(7, bits)
    sender.receive(Message(Kind.REPLY, 7, 0, Verdict.CONTINUE, bytes([200])).encode())
    asked = np.array([5], ">u4").tobytes()
    with pytest.raises(InputError, match="disclosure 'public'"):
        sender.receive(Message(Kind.REPLY, 7, 1, Verdict.CONTINUE, asked).encode())


def test_public_order_does_not_depend_on_the_errors():
    """Two packets with other errors and bits: what is revealed in a round is a function of code and reports alone."""
    runs = [reconciled(0.04, seed, expected=0.04)[3] for seed in (31, 32)]
    sizes = [[len(message) for message in messages if message[0] == Kind.PARITIES] for messages in runs]
    reports = [messages[1][7] for messages in runs]
    code = load_code(runs[0][0][6])
    for messages, report, size in zip(runs, reports, sizes, strict=True):
        assert messages[0][6] == runs[0][0][6]
        split, rules = 0, Rules()
        for number, length in enumerate(size, 1):
            rows = rules.rows_to_split(code, split, qber_of(report), number, first=number == 1)
            assert length - 7 == math.ceil(rows * 50 / 8)
            split += rows


def test_repeated_lost_and_late_messages_change_nothing():
    plain = reconciled(0.015, 13)
    sender, receiver = Sender(), Receiver()
    bits, noisy = packet_pair(0.015, 13)
    first = sender.open(7, bits)
    assert receiver.receive(first) is None  # before the packet is open
    receiver.open(7, noisy)
    receiver.receive(first)
    messages, old = [first], []
    while receiver.busy:
        for reply in receiver.work():
            messages.append(reply)
            answer = sender.receive(reply)
            if answer is None:
                continue
            messages.append(answer)
            # the reply again: the same answer; the satellite's last message again: the same reply
            assert sender.receive(reply) == answer
            assert receiver.receive(messages[-3]) == reply
            receiver.receive(answer)
            for message in old:
                assert sender.receive(message) is None
            old.append(reply)
            assert receiver.receive(answer) is None or not receiver.busy
            assert receiver.receive(first) is None
    assert messages == plain[3]
    assert sender.outcome(7) == plain[0].outcome(7)
    last = messages[-1]
    assert sender.receive(last) is None
    assert receiver.receive(messages[-2]) == last
    sender.drop(7)
    receiver.drop(7)
    assert sender.receive(last) is None
    assert not receiver.busy


def test_results_do_not_depend_on_the_neighbours():
    """A packet alone, and among others of another code and QBER that come and go, a few sweeps at a time."""
    alone = reconciled(0.03, 17, EASY, expected=0.03)[0].outcome(7)
    sender, receiver = Sender(EASY), Receiver(EASY)
    originals = {}
    for packet, (qber, seed) in enumerate([(0.03, 50), (0.02, 51), (0.03, 17), (0.05, 52), (0.03, 53)]):
        originals[packet], noisy = packet_pair(qber, seed)
        receiver.open(packet, noisy)
        receiver.receive(sender.open(packet, originals[packet], qber=qber))
    while receiver.busy:
        for reply in receiver.work(sweeps=3):
            answer = sender.receive(reply)
            if answer is not None:
                receiver.receive(answer)
    assert sender.outcome(2) == alone
    for packet, bits in originals.items():
        np.testing.assert_array_equal(receiver.corrected(packet), bits)


def test_packets_that_wait_for_an_answer_hold_up_no_other():
    """Answers withheld: work ends when every packet had its attempt, and goes on with the answers."""
    failing = Rules(start_efficiency=1.0001, start_excess=0.0)
    sender, receiver = Sender(failing), Receiver(failing)
    for packet, qber in enumerate([0.02, 0.03, 0.04]):
        bits, noisy = packet_pair(qber, packet)
        receiver.open(packet, noisy)
        receiver.receive(sender.open(packet, bits, qber=qber))
    held = []
    while receiver.busy:
        for reply in receiver.work():
            answer = sender.receive(reply)
            # up to the first failed attempt
            if answer is not None and reply[5] < 1:
                receiver.receive(answer)
            else:
                held.append((reply[4], answer))
    assert sorted(packet for packet, _ in held) == [0, 1, 2]
    receiver.drop(held[0][0])
    assert held[0][1] is not None
    assert receiver.receive(held[0][1]) is None
    assert not receiver.busy
    assert held[1][1] is not None
    receiver.receive(held[1][1])
    assert receiver.busy


def test_verified_packets_choose_the_next_code():
    sender, receiver, _, _ = reconciled(0.03, 19, EASY)
    assert sender.expected.rate == EASY.prior_qber
    sender.verified(7)
    # a packet's own errors: 1.8 %; grid: 1.1 %
    assert sender.expected.rate == pytest.approx(0.03, rel=0.07)
    assert receiver.errors(7) / PACKET_BITS == pytest.approx(sender.expected.rate, rel=0.0115)
    message = decode_message(sender.open(8, packet_pair(0.03, 20)[0]), {Kind.SYNDROME})
    assert message.field == EASY.first_code(sender.expected.rate)


@pytest.mark.parametrize("index", [5, 20, 40])
def test_syndrome_estimate_is_unbiased_and_as_sharp_as_its_weight_allows(index):
    code = load_code(index)
    qber = 0.9 * qber_of(report_of(0.0025 * 1.06**index))
    patterns = (np.random.default_rng(index).random((40, code.bits)) < qber).astype(np.uint8)
    found = np.array([syndrome_qber(code, int(weight))[0] for weight in code.syndrome(patterns).sum(1)])
    degree = code.row_degrees().mean()
    odd = 0.5 * (1.0 - (1.0 - 2.0 * qber) ** degree)
    spread = math.sqrt(odd * (1.0 - odd) / code.checks) / (degree * (1.0 - 2.0 * qber) ** (degree - 1.0))
    # and the errors' own number, weighted by the columns they are in; 40 samples give 11 %, three times that
    columns = code.column_degrees()
    errors = qber / code.bits * (columns**2).mean() / columns.mean() ** 2
    np.testing.assert_allclose(found.std(), math.sqrt(spread**2 + errors), rtol=0.33)
    # four standard errors of the mean of 40
    np.testing.assert_allclose(found.mean(), qber, atol=4.0 * math.sqrt(spread**2 + errors) / math.sqrt(40))


def test_saturated_syndrome_says_so():
    code = load_code(10)
    patterns = np.random.default_rng(1).integers(0, 2, (1, code.bits), np.uint8)
    assert syndrome_qber(code, int(code.syndrome(patterns).sum()))[1]


def test_grid_of_reports():
    for index in (0, 1, 100, 255):
        assert report_of(qber_of(index)) == index
    assert qber_of(1) / qber_of(0) == pytest.approx(1.022)
    assert (report_of(0.0), report_of(0.4)) == (0, 255)


def test_rules_tell_each_other_apart():
    assert Rules().identity() == Rules().identity()
    assert Rules().identity() != Rules(prior_qber=0.011).identity()
    assert len(Rules().identity()) == 32


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"qber_threshold": 0.2}, "qber_threshold: 0.2; allowed"),
        ({"prior_qber": 0.0}, "prior_qber: 0; allowed"),
        ({"max_rounds": 0}, "max_rounds: 0; allowed"),
        ({"tracked_packets": 0}, "tracked_packets: 0; allowed"),
        ({"disclosure": "random"}, "allowed are public, llr"),
    ],
)
def test_bad_rules(options, complaint):
    with pytest.raises(InputError, match=complaint):
        Rules(**options)


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        (b"", "0 bytes; a header has 7"),
        (Message(Kind.REPLY, 7, 0, 0, b"\0").encode(), "allowed here are"),
        (bytes([9, 0, 0, 0, 7, 0, 0]), "kind 9"),
        (Message(Kind.SYNDROME, 7, 0, 3, b"").encode(), "without the expected QBER"),
        (Message(Kind.SYNDROME, 7, 0, 3, b"\0\0").encode(), "bytes of bits"),
        (Message(Kind.SYNDROME, 7, 0, 200, b"\0\0").encode(), "code: 200"),
    ],
)
def test_bad_messages_to_the_ground(message, complaint):
    receiver = Receiver()
    bits, noisy = packet_pair(0.005, 2)
    receiver.open(7, noisy)
    with pytest.raises(InputError, match=complaint):
        receiver.receive(message)
    # and nothing has changed: the right one is taken
    receiver.receive(Sender().open(7, bits, qber=0.005))
    assert receiver.busy


def test_bad_replies_to_the_satellite():
    sender = Sender()
    bits, _ = packet_pair(0.01, 2)
    first = sender.open(7, bits)
    with pytest.raises(InputError, match="verdict 9"):
        sender.receive(bytes([16, 0, 0, 0, 7, 0, 9]))
    with pytest.raises(InputError, match="without the QBER report"):
        sender.receive(Message(Kind.REPLY, 7, 0, Verdict.CONTINUE, b"").encode())
    with pytest.raises(InputError, match="a number is used once"):
        sender.open(7, bits)
    with pytest.raises(InputError, match="only a corrected one"):
        sender.verified(7)
    with pytest.raises(InputError, match="packet: 8 is not open"):
        sender.outcome(8)
    assert len(first) == 8 + math.ceil(code_rows()[first[6]] * 50 / 8)


@pytest.mark.parametrize(
    ("deviation", "rate", "share"),
    [
        (0.0, 0.02, 1.0),
        (0.002, 0.0185, 1.0),  # three quarters of a standard deviation less
        (0.01, 0.04, 1.0 / 1.8),  # so that half rows do for two standard deviations more
        (0.1, 0.08, 1.0 / 1.8),  # above the threshold nothing has to do
    ],
)
def test_an_uncertain_expectation_begins_with_a_smaller_code(deviation, rate, share):
    rules = Rules()
    bits, _ = packet_pair(0.02, 3)
    message = decode_message(Sender(rules).open(7, bits, qber=0.02, deviation=deviation), {Kind.SYNDROME})
    most = 0.99 * share * rules.start_bits(rate)
    assert message.field == max(k for k, rows in enumerate(code_rows()) if 50 * rows <= most)
    assert qber_of(message.payload[0]) == pytest.approx(0.02, rel=0.0115)  # what is reported stays
    with pytest.raises(InputError, match=r"allowed are 0 to 0\.5, and 0 to 1"):
        Sender(rules).open(8, bits, qber=0.02, deviation=-0.1)


def test_outcomes_are_frozen():
    outcome = Outcome("corrected", 0, 1, "x", 0.01, {})
    with pytest.raises(AttributeError):
        outcome.status = "abandoned"
