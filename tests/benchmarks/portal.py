"""A portal that answers like HubSpot, with its latency and its rolling window, in a process of its own.

    python -m tests.benchmarks.portal ANSWERS.json LATENCY_MS JITTER_MS LIMIT TAKEN

``TAKEN`` of the ``LIMIT`` requests in ten seconds are used up by somebody else; each token has a window of its own.
Prints its port, listens on loopback only. ``GET /_seen`` tells what was asked of it.
"""

import asyncio
import gzip
import json
import random
import sys
import time
from collections import Counter, defaultdict, deque
from pathlib import Path

WINDOW = 10.0  # seconds
WORTH_PACKING = 1000  # bytes
MOST_PACKED = 50  # answers


class Portal:
    """The answers by path, the window, and what was asked."""

    def __init__(self, answers: dict[str, dict[str, object]], latency: float, jitter: float, limit: int, taken: int):
        self.answers, self.latency, self.jitter, self.limit, self.taken = answers, latency, jitter, limit, taken
        self.bytes: dict[str, bytes] = {}
        self.packed: dict[bytes, bytes] = {}
        self.windows: dict[bytes, deque[float]] = defaultdict(deque)
        self.seen: Counter[str] = Counter()
        self.refused = self.connections = 0
        self.first = self.last = self.first_write = self.last_write = 0.0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, kept alive."""
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head.split(b"\r\n")
                method, path, _ = first.decode().split(" ")
                given = {
                    name.strip().lower(): value.strip() for name, _, value in (one.partition(b":") for one in lines)
                }
                body = await reader.readexactly(int(given.get(b"content-length", b"0")))
                recent = self.windows[given.get(b"authorization", b"")]
                full, left = self.counted(method, path, recent)
                status, content = await self.answer(method, path, body, full)
                packs = b"gzip" in given.get(b"accept-encoding", b"") and len(content) > WORTH_PACKING
                content = self.compressed(content) if packs else content
                headers = (
                    f"HTTP/1.1 {status} Said\r\ncontent-type: application/json\r\ncontent-length: {len(content)}\r\n"
                    f"{'content-encoding: gzip' if packs else 'vary: accept-encoding'}\r\n"
                    f"x-hubspot-ratelimit-max: {self.limit}\r\nx-hubspot-ratelimit-remaining: {left}\r\n"
                    "x-hubspot-ratelimit-interval-milliseconds: 10000\r\n\r\n"
                )
                writer.write(headers.encode() + content)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    def compressed(self, content: bytes) -> bytes:
        """As HubSpot sends it to whoever takes it; the same content is compressed once."""
        if content not in self.packed:
            if len(self.packed) > MOST_PACKED:
                self.packed.clear()
            self.packed[content] = gzip.compress(content, 6)
        return self.packed[content]

    def counted(self, method: str, path: str, recent: deque[float]) -> tuple[bool, int]:
        """Whether a request that arrives now is one too many, and how many more would not be."""
        now = time.monotonic()
        while recent and recent[0] <= now - WINDOW:
            recent.popleft()
        room = self.limit - self.taken - len(recent)
        if path != "/_seen":
            self.seen[f"{method} {path}"] += 1
            self.first, self.last = self.first or now, now
            if method not in ("GET", "POST"):
                self.first_write, self.last_write = self.first_write or now, now
            self.refused += room <= 0
            if room > 0:
                recent.append(now)
        return room <= 0, max(0, room - 1)

    async def answer(self, method: str, path: str, body: bytes, full: bool) -> tuple[int, bytes]:
        """Status and content, after the latency."""
        if path == "/_seen":
            return 200, json.dumps(self.told()).encode()
        await asyncio.sleep(self.latency + random.random() * self.jitter)
        if full:
            return 429, json.dumps({"status": "error", "policyName": "TEN_SECONDLY_ROLLING"}).encode()
        return 200, self.carried_out(method, path, json.loads(body) if body else {})

    def carried_out(self, method: str, path: str, body: dict[str, object]) -> bytes:
        """The content of a success."""
        if path.endswith("access-token-info"):
            return json.dumps({"scopes": ["crm.schemas.contacts.write"], "hubId": 1}).encode()
        head, _, name = path.rpartition("/")
        if path not in self.answers and head in self.answers:
            one = next(one for one in self.answers[head]["results"] if one["name"] == name)  # type: ignore[attr-defined]
            one.update(body)
            self.bytes.pop(head, None)
            return json.dumps(one).encode()
        if path not in self.bytes:
            self.bytes[path] = json.dumps(self.answers.get(path, {"results": []})).encode()
        return self.bytes[path]

    def told(self) -> dict[str, object]:
        """What was asked so far."""
        requests = sum(self.seen.values())
        spans = {"span": self.last - self.first, "writing": self.last_write - self.first_write}
        return {"requests": requests, "429": self.refused, "connections": self.connections, **spans, **self.seen}


async def main() -> None:
    """Serves until it is ended."""
    file, latency, jitter, limit, taken = sys.argv[1:]
    answers = json.loads(Path(file).read_bytes())["responses"]
    portal = Portal(answers, float(latency) / 1000, float(jitter) / 1000, int(limit), int(taken))
    server = await asyncio.start_server(portal.serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
