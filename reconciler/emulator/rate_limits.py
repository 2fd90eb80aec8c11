"""HubSpot's rate limits: a rolling window for each token, another for searches, and the headers that tell of them."""

import math
import re
from collections import deque
from collections.abc import Mapping

from reconciler.emulator.faults import too_many
from reconciler.emulator.store import Portal

SEARCH = re.compile(r"/crm/(?:v3/objects/[^/]+|objects/[^/]+/[^/]+)/search")
WINDOW_SECONDS, SEARCH_SECONDS = 10, 1
UNLIMITED, DAILY = 190, 1000000


def admit(portal: Portal, path: str, token: str) -> Mapping[str, str]:
    """Counts a request and gives the headers of its answer, or refuses it."""
    if SEARCH.fullmatch(path):
        count(portal, "search", portal.switches["searchRateLimit"], SEARCH_SECONDS, "SECONDLY", {})
        return {}
    limit = portal.switches["rateLimit"]
    used = count(portal, token, limit, WINDOW_SECONDS, "TEN_SECONDLY_ROLLING", headers(limit or UNLIMITED, 0))
    return headers(limit or UNLIMITED, limit - used if limit else UNLIMITED - 1)


def count(portal: Portal, key: str, limit: int, seconds: float, policy: str, told: Mapping[str, str]) -> int:
    """How many requests of the last seconds there are, this one included; without a limit none is counted."""
    if not limit:
        return 0
    now = portal.seconds()
    window = portal.windows.setdefault(key, deque())
    while window and window[0] <= now - seconds:
        window.popleft()
    if len(window) >= limit:
        wait = {"Retry-After": str(math.ceil(window[0] + seconds - now))} if portal.switches["retryAfter"] else {}
        raise too_many(portal.portal_id, policy, {**told, **wait})
    window.append(now)
    return len(window)


def headers(limit: int, remaining: int) -> dict[str, str]:
    """The headers of a service key's answer."""
    return {
        "X-HubSpot-RateLimit-Daily": str(DAILY),
        "X-HubSpot-RateLimit-Daily-Remaining": str(DAILY - 1),
        "X-HubSpot-RateLimit-Interval-Milliseconds": str(WINDOW_SECONDS * 1000),
        "X-HubSpot-RateLimit-Max": str(limit),
        "X-HubSpot-RateLimit-Remaining": str(remaining),
        "X-HubSpot-RateLimit-Secondly": str(limit // WINDOW_SECONDS),
        "X-HubSpot-RateLimit-Secondly-Remaining": str(limit // WINDOW_SECONDS),
    }
