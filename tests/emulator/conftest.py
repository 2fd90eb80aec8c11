from dataclasses import dataclass

import httpx
import pytest

from reconciler.emulator import Portal, create_app


@dataclass
class Clock:
    """A clock that stands still until it is told to go on."""

    seconds: float = 1_790_000_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def connect():
    """Makes a client of a portal, without a socket between."""

    def to(portal, token="a-token"):
        return httpx.Client(
            transport=httpx.WSGITransport(create_app(portal)),
            base_url="http://portal.test",
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
        )

    return to


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def portal(clock):
    return Portal.seeded("empty", clock=clock)


@pytest.fixture
def client(connect, portal):
    return connect(portal)
