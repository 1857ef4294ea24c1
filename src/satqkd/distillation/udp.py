"""A session's end on a UDP socket, with the optical link emulated on what it sends."""

from __future__ import annotations

import math
import select
import socket
import threading
import time
from collections.abc import Callable

from satqkd.distillation.link import EmulatedLink
from satqkd.distillation.session import End
from satqkd.errors import InputError

__all__ = ["address", "open_socket", "serve"]

_BUFFER_BYTES = 4_000_000
_AT_ONCE = 64
_LIFE_S = 1.0


def address(text: str, *, option: str) -> tuple[str, int]:
    """Host and port of ``HOST:PORT``, given as ``option``.

    Examples
    --------
    >>> address("127.0.0.1:4000", option="--listen")
    ('127.0.0.1', 4000)
    """
    host, _, port = text.rpartition(":")
    if not (host and port.isascii() and port.isdigit() and int(port) < 65536):
        raise InputError(f'{option} "{text}": must be HOST:PORT')
    return host, int(port)


def open_socket(where: tuple[str, int]) -> socket.socket:
    """UDP socket bound to an address; port 0 takes a free one."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            sock.setsockopt(socket.SOL_SOCKET, option, _BUFFER_BYTES)
        sock.bind(where)
    except OSError as error:
        sock.close()
        raise InputError(f"{where[0]}:{where[1]}: cannot listen: {(error.strerror or str(error)).lower()}") from None
    sock.setblocking(False)
    return sock


def serve(
    end: End,
    sock: socket.socket,
    *,
    link: EmulatedLink,
    peer: tuple[str, int] | None = None,
    watch: Callable[[], None] | None = None,
) -> None:
    """Run one end until it has nothing left to do.

    Parameters
    ----------
    end : End
        The end.
    sock : socket
        From :func:`open_socket`.
    link : EmulatedLink
        What happens to the datagrams on their way from here.
    peer : tuple, optional
        Address of the other end; without it, that of whoever sent the last datagram of the session.
    watch : callable, optional
        Called now and then, for a display.
    """
    end.start(time.monotonic())
    with _SignsOfLife(sock) as alive:
        _serve(end, sock, link, peer, watch, alive)


class _SignsOfLife:
    """Thread that tells the other end that this one is there while it computes."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.last_s = math.inf  # when the main loop was here last
        self.datagram: bytes | None = None
        self.peer: tuple[str, int] | None = None

    def __enter__(self) -> _SignsOfLife:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(_LIFE_S):
            datagram, peer = self.datagram, self.peer
            if time.monotonic() - self.last_s > _LIFE_S and datagram is not None and peer is not None:
                _send(self._sock, datagram, peer)


def _serve(
    end: End,
    sock: socket.socket,
    link: EmulatedLink,
    peer: tuple[str, int] | None,
    watch: Callable[[], None] | None,
    alive: _SignsOfLife,
) -> None:
    while True:
        now = time.monotonic()
        alive.last_s, alive.datagram, alive.peer = now, end.keep_alive, peer
        for datagram in end.poll(now):
            link.send(datagram, now)
        for datagram in link.arrived(now):
            if peer is not None:
                _send(sock, datagram, peer)
        if watch is not None:
            watch()
        if end.over(now):
            return
        wait = min(end.next_time(now), link.next_time()) - now
        readable, _, _ = select.select([sock], [], [], max(0.0, min(wait, 0.1)))
        if not readable:
            continue
        for _ in range(_AT_ONCE):
            try:
                datagram, sender = sock.recvfrom(65_535)
            except BlockingIOError:
                break
            except ConnectionError:  # the other end is not there (yet, or any more): as if the datagram had been lost
                continue
            before = time.monotonic()
            if end.receive(datagram, before):
                peer = sender
            end.excuse(time.monotonic() - before)


def _send(sock: socket.socket, datagram: bytes, peer: tuple[str, int]) -> None:
    try:
        sock.sendto(datagram, peer)
    except (BlockingIOError, ConnectionError):
        return  # lost, like any other
    except OSError as error:
        raise InputError(f"{peer[0]}:{peer[1]}: cannot send: {(error.strerror or str(error)).lower()}") from None
