"""Datagrams, and messages in order and exactly once over any link."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from satqkd.distillation import frames
from satqkd.distillation.authentication import AuthenticationError
from satqkd.distillation.link import EmulatedLink, LinkModel
from satqkd.distillation.transport import FIRST_REPEAT_S, SEND_WINDOW, Transport
from satqkd.errors import InputError

NAME = b"sessionx"


@given(st.binary(max_size=5000), st.integers(0, 2**32 - 1))
def test_fragments_hold_the_message(message, sequence):
    parts = frames.split(message, kind=frames.DATA, session=NAME, sequence=sequence)
    assert max(map(len, parts)) <= frames.LARGEST_DATAGRAM
    opened = [frames.unpack(part) for part in parts]
    assert b"".join(frame.payload for frame in opened) == message
    assert {(f.kind, f.session, f.sequence, f.fragments) for f in opened} == {(1, NAME, sequence, len(parts))}


@given(st.binary(max_size=300), st.integers(0, 10**6), st.integers(1, 255))
def test_a_damaged_datagram_is_no_frame(message, position, change):
    whole = bytearray(frames.split(message, kind=frames.DATA, session=NAME, sequence=3)[0])
    whole[position % len(whole)] ^= change
    assert frames.unpack(bytes(whole)) is None


@given(st.binary(max_size=2000))
def test_noise_is_no_frame(noise):
    assert frames.unpack(noise) is None


def test_too_long_a_message():
    with pytest.raises(InputError, match="at most"):
        frames.split(bytes(0x10000 * frames.PAYLOAD_BYTES), kind=frames.DATA, session=NAME, sequence=0)


def pump(one, other, model, *, seed, until=60.0, received=None):
    """Let two transports talk; what the second delivers."""
    up, down = EmulatedLink(model, seed=seed), EmulatedLink(model, seed=seed + 1)
    got = [] if received is None else received
    now = 0.0
    while now < until and one.backlog:
        for end, out, back in ((one, up, down), (other, down, up)):
            for datagram in back.arrived(now):
                end.receive(datagram, now)
            while (message := end.next_message()) is not None:
                end.accept()
                got.append(message)
            for datagram in end.poll(now):
                out.send(datagram, now)
        if not one.backlog:
            break
        now = max(min(up.next_time(), down.next_time(), one.next_time(), other.next_time()), now + 1e-4)
    return got, now


@pytest.mark.parametrize("seed", range(8))
def test_messages_arrive_in_order_and_once(seed):
    rng = np.random.default_rng(seed)
    messages = [rng.bytes(int(rng.integers(0, 30_000))) for _ in range(40)]
    one, other = Transport(NAME), Transport(NAME)
    for message in messages:
        one.send(message)
    model = LinkModel(loss=0.07 * seed, duplication=0.2, reordering=0.3)
    got, _ = pump(one, other, model, seed=seed)
    assert got == messages
    assert one.backlog == 0


def test_repeats_stay_few():
    """On a link with 20 % loss each datagram is sent 1/(1 - loss) times on average, and a little more."""
    one, other = Transport(NAME), Transport(NAME)
    for _ in range(50):
        one.send(bytes(20_000))
    _, took = pump(one, other, LinkModel(loss=0.2), seed=1)
    needed = 50 * -(-20_000 // frames.PAYLOAD_BYTES)
    assert one.counts.sent / needed == pytest.approx(1.25, abs=0.25)
    assert took < 2.0


def test_the_stream_goes_on_after_a_crash_of_either_end():
    messages = [bytes([i]) * 3000 for i in range(30)]
    one, other = Transport(NAME), Transport(NAME)
    for message in messages:
        one.send(message)
    received = []
    pump(one, other, LinkModel(loss=0.3), seed=5, until=0.06, received=received)
    assert 0 < len(received) < 30
    again = Transport(NAME)  # the receiver knows how many it has
    again.resume(received=len(received))
    pump(one, again, LinkModel(loss=0.3), seed=6, until=0.03, received=received)
    fresh = Transport(NAME)  # the sender knows nothing and says it all again
    for message in messages:
        fresh.send(message)
    got, _ = pump(fresh, again, LinkModel(loss=0.3), seed=7, received=received)
    assert got == messages


def test_two_versions_of_a_fragment_are_tampering():
    end = Transport(NAME)
    first, _ = frames.split(bytes(1500), kind=frames.DATA, session=NAME, sequence=0)
    end.receive(first, 0.0)
    end.receive(first, 0.0)
    with pytest.raises(AuthenticationError, match="two versions"):
        end.receive(frames.rewritten(first, 100, 1), 0.0)


def test_a_forged_acknowledgement_only_costs_time():
    one, other = Transport(NAME), Transport(NAME)
    one.send(b"a")
    one.send(b"b")
    forged = frames.pack(frames.Frame(frames.ACKNOWLEDGE, NAME, 0, 0, 1, (2).to_bytes(4, "big")))
    one.receive(forged, 0.0)
    assert one.backlog == 0
    # the receiver still asks for the first
    asking = frames.pack(frames.Frame(frames.ACKNOWLEDGE, NAME, 0, 0, 1, (0).to_bytes(4, "big")))
    one.receive(asking, 0.1)
    assert one.backlog == 0  # may be an old one that was overtaken
    one.receive(asking, 1.0)
    got, _ = pump(one, other, LinkModel(), seed=1)
    assert got == [b"a", b"b"]


def acknowledged(count):
    """Acknowledgement of the first ``count`` messages."""
    return frames.pack(frames.Frame(frames.ACKNOWLEDGE, NAME, 0, 0, 1, count.to_bytes(4, "big")))


def controlled(end):
    """Messages outside the stream that have come whole."""
    return list(iter(end.next_control, None))


def control(message, session=NAME):
    """Datagrams of a message outside the stream."""
    end = Transport(session)
    end.send_control(message)
    return [part for part in end.poll_control(0.0) if frames.unpack(part).kind == frames.CONTROL]


def test_messages_outside_the_stream_come_whole_whatever_is_lost():
    """Long ones in fragments; those of a repeat fill the gaps of the first."""
    message = bytes(range(256)) * 15
    parts, end = control(message), Transport(NAME)
    assert len(parts) == 4
    for part in (parts[0], parts[3], parts[0], parts[1]):
        end.receive(part, 0.0)
    assert controlled(end) == []
    end.receive(parts[2], 0.0)
    assert controlled(end) == [message]
    end.receive(control(b"short")[0], 0.0)
    assert controlled(end) == [b"short"]


def test_forged_fragments_outside_the_stream_are_few_and_do_not_last():
    message = bytes(range(256)) * 15
    parts, end = control(message), Transport(NAME)
    for number in range(100):
        end.receive(frames.pack(frames.Frame(frames.CONTROL, NAME, number, 0, 2, b"x")), 0.0)
    assert len(end._control_parts) <= 4
    end.receive(frames.pack(frames.Frame(frames.CONTROL, NAME, 5, 0, 9, b"x")), 0.0)  # too long
    end.receive(frames.pack(frames.Frame(frames.CONTROL, NAME, 5, 3, 2, b"x")), 0.0)  # beyond its end
    assert end.counts.foreign == 2
    # a fragment in place of the real one spoils one message; its repeat comes through
    end.receive(frames.rewritten(parts[0], 100, 1), 0.0)
    for part in parts[1:]:
        end.receive(part, 0.0)
    assert [found == message for found in controlled(end)] == [False]
    for part in parts:
        end.receive(part, 0.0)
    assert controlled(end) == [message]


def data(datagrams):
    """Those that carry messages: an acknowledgement goes with them now and then."""
    return [datagram for datagram in datagrams if frames.unpack(datagram).kind == frames.DATA]


def test_a_full_window_waits_for_room():
    """Nothing to do until an acknowledgement comes, or until what is on its way counts as lost."""
    end = Transport(NAME)
    for _ in range(3):
        end.send(bytes(100 * frames.PAYLOAD_BYTES))
    assert len(data(end.poll(0.0))) == SEND_WINDOW == 192
    assert end.next_time() == pytest.approx(FIRST_REPEAT_S + 0.012 * 0.5, abs=0.012 * 0.5)  # three round trips
    assert data(end.poll(0.001)) == []
    end.receive(acknowledged(1), 0.01)
    assert end.next_time() <= 0.01
    # room for 100: the rest of the second message, and of the third
    assert len(data(end.poll(0.01))) == 100
    assert end.next_time() > 0.03
    assert len(data(end.poll(end.next_time()))) == 92  # sent at first, without an answer


def test_an_end_that_computes_does_not_slow_the_repeats():
    """Acknowledgements that come after seconds are no round trips: what is lost is sent again soon all the same."""
    end, now = Transport(NAME), 0.0
    for count in range(1, 41):
        end.send(b"x")
        assert len(data(end.poll(now))) == 1
        now += 10.0
        end.receive(acknowledged(count), now)
    end.send(b"x")
    end.poll(now)
    # three times the longest round trip that is believed, 50 ms, towards which it went by an eighth each time
    assert end.next_time() - now == pytest.approx(0.15, rel=0.02)


def test_memory_is_bounded():
    end = Transport(NAME)
    for sequence in range(1000):
        for datagram in frames.split(b"x", kind=frames.DATA, session=NAME, sequence=sequence):
            end.receive(datagram, 0.0)
    assert len(end._incoming) == 64


def test_the_link_loses_what_it_should():
    link = EmulatedLink(LinkModel(loss=0.3, duplication=0.1, bandwidth_hz=1e9), seed=3)
    for i in range(20_000):
        link.send(bytes(100), i * 1e-3)
    arrived = len(link.arrived(1e9))
    # binomial: 5 standard deviations of 20,000 trials are 1.6 %
    assert arrived / 20_000 == pytest.approx(0.7 * 1.1, abs=0.02)
    assert link.lost / 20_000 == pytest.approx(0.3, abs=0.02)


def test_the_link_has_a_bandwidth_and_a_delay():
    link = EmulatedLink(LinkModel(delay_s=0.01, bandwidth_hz=8e6), seed=0)
    for _ in range(100):
        link.send(bytes(1000), 0.0)  # a millisecond each
    assert len(link.arrived(0.0605)) == 50
    assert link.next_time() == pytest.approx(0.061)


@pytest.mark.parametrize("changes", [{"loss": 1.0}, {"duplication": -0.1}, {"delay_s": -1.0}, {"bandwidth_hz": 0.0}])
def test_impossible_links(changes):
    with pytest.raises(InputError):
        LinkModel(**changes)
