"""The load of ``load.c`` for machines without a C compiler: same arguments, same output, about four times the cost."""

from __future__ import annotations

import json
import resource
import selectors
import socket
import sys
import time
from collections import Counter
from pathlib import Path

PLACE = b"############"
WANTED = b'{"statusCode":0}'
MAX_ANSWER = 65_536
"""Bytes; the answers have 200, a longer one is wrong."""
SILENCE_S = 10
"""The longest that all connections together may stay without an answer."""


class Load:
    """The requests, in pairs, and what was counted."""

    def __init__(self, templates: bytes, first_reference: int) -> None:
        texts = templates.removesuffix(b"\0").split(b"\0")
        self._parts = [text.split(PLACE) for text in texts]
        self._visits = [0] * (len(texts) // 2)
        self._reference = first_reference
        self.latencies_us: Counter[int] = Counter()
        self.answered = 0
        self.is_measuring = False

    def next_request(self, pair: int) -> bytes:
        """The other request of a pair than the last time, with a fresh reference."""
        self._visits[pair] += 1
        head, tail = self._parts[pair * 2 + self._visits[pair] % 2]
        self._reference += 1
        return b"%b%012d%b" % (head, self._reference, tail)

    @property
    def pairs(self) -> int:
        """How many there are."""
        return len(self._visits)

    def count(self, took_ns: int) -> None:
        """Note an answer."""
        self.answered += 1
        if self.is_measuring:
            self.latencies_us[took_ns // 1000] += 1

    def quantile_us(self, part: float) -> int:
        """The latency that this part of the requests stayed below."""
        wanted, seen = int(part * self.latencies_us.total()), 0
        for latency_us in sorted(self.latencies_us):
            seen += self.latencies_us[latency_us]
            if seen > wanted:
                return latency_us
        return 0


class Connection:
    """One client: a request, its answer, the next request."""

    def __init__(self, load: Load, port: int, pair: int, step: int) -> None:
        self._load = load
        self._pair = pair % load.pairs
        self._step = step
        self._answer = b""
        self._sent_ns = 0
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self) -> None:
        """Send the next request."""
        request = self._load.next_request(self._pair)
        self._pair = (self._pair + self._step) % self._load.pairs
        self._sent_ns = time.monotonic_ns()
        self.socket.sendall(request)

    def take_answer(self) -> bool:
        """Read; True when the answer is complete. ``SystemExit`` for any answer but success."""
        got = self.socket.recv(MAX_ANSWER)
        self._answer += got
        head, _, body = self._answer.partition(b"\r\n\r\n")
        if not got or len(self._answer) > MAX_ANSWER:
            raise SystemExit(f"load: the server closed a connection\n{self._answer[:500]!r}")
        if len(body) < len(WANTED):
            return False
        if not head.startswith(b"HTTP/1.1 200 ") or body != WANTED:
            raise SystemExit(f"load: an answer that is not success\n{self._answer[:500]!r}")
        self._answer = b""
        self._load.count(time.monotonic_ns() - self._sent_ns)
        return True


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _drive(load: Load, clients: list[Connection], warm_s: float, duration_s: float) -> dict[str, float]:
    """Send and count until the time is over; what ``load.c`` prints at its end."""
    begin_s = time.monotonic() + warm_s
    began_s = ended_s = cpu_s = 0.0
    waiting = len(clients)
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client.socket, selectors.EVENT_READ, client)
            client.send()
        while waiting:
            ready = selector.select(SILENCE_S)
            if not ready:
                raise SystemExit(f"load: no answer within {SILENCE_S} s")
            for key, _ in ready:
                if not key.data.take_answer():
                    continue
                if ended_s:
                    waiting -= 1
                else:
                    key.data.send()
            now_s = time.monotonic()
            if not began_s and now_s >= begin_s:
                _say("begin")
                began_s, cpu_s, load.is_measuring = time.monotonic(), _cpu_s(), True
            elif load.is_measuring and now_s >= began_s + duration_s:
                _say("end")
                ended_s, cpu_s, load.is_measuring = time.monotonic(), _cpu_s() - cpu_s, False
    return {
        "requests": load.latencies_us.total(),
        "all_requests": load.answered,
        "seconds": ended_s - began_s,
        "p50_us": load.quantile_us(0.5),
        "p99_us": load.quantile_us(0.99),
        "max_us": max(load.latencies_us, default=0),
        "load_cpu_s": cpu_s,
    }


def main(arguments: list[str]) -> None:
    """Run as ``load.c`` does: PORT TEMPLATES CONNECTIONS WARM_S SECONDS FIRST_REFERENCE."""
    port, templates, connections, warm_s, duration_s, first_reference = arguments
    load = Load(Path(templates).read_bytes(), int(first_reference))
    clients = [Connection(load, int(port), number, int(connections)) for number in range(int(connections))]
    _say(json.dumps(_drive(load, clients, float(warm_s), float(duration_s))))


if __name__ == "__main__":
    main(sys.argv[1:])
