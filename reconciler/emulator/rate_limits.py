"""HubSpot's rate limits: a rolling window for each token, another for searches, a day for all, and their headers."""

import math
import re
from collections import deque
from collections.abc import Mapping

from reconciler.emulator.faults import too_many
from reconciler.emulator.store import Portal

SEARCH = re.compile(r"/crm/(?:v3/objects/[^/]+|objects/[^/]+/[^/]+)/search")
WINDOW_SECONDS, SEARCH_SECONDS, DAY_SECONDS = 10, 1, 86400
UNLIMITED, DAILY = 190, 1000000


def admit(portal: Portal, path: str, token: str) -> Mapping[str, str]:
    """Counts a request and gives the headers of its answer, or refuses it."""
    left = left_today(portal)
    if SEARCH.fullmatch(path):
        count(portal, "search", portal.switches["searchRateLimit"], SEARCH_SECONDS, "SECONDLY", {})
        return {}
    limit = portal.switches["rateLimit"]
    refusal = headers(portal, limit or UNLIMITED, 0, left)
    used = count(portal, token, limit, WINDOW_SECONDS, "TEN_SECONDLY_ROLLING", refusal)
    return headers(portal, limit or UNLIMITED, limit - used if limit else UNLIMITED - 1, left)


def left_today(portal: Portal) -> int:
    """Counts a request of this day, which ends at midnight in the account's time zone, and says how many are left."""
    offset = portal.state["account"].get("utcOffsetMilliseconds", 0) / 1000
    day = f"{(portal.seconds() + offset) // DAY_SECONDS:.0f}"
    limit = portal.switches["dailyLimit"]
    if limit and portal.requests[day] >= limit:
        raise too_many(portal.portal_id, "DAILY", headers(portal, portal.switches["rateLimit"] or UNLIMITED, 0, 0))
    portal.requests[day] += 1
    return max(int(limit or DAILY) - portal.requests[day], 0)


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


def headers(portal: Portal, limit: int, remaining: int, left: int) -> dict[str, str]:
    """The headers of a service key's answer."""
    return {
        "X-HubSpot-RateLimit-Daily": str(portal.switches["dailyLimit"] or DAILY),
        "X-HubSpot-RateLimit-Daily-Remaining": str(left),
        "X-HubSpot-RateLimit-Interval-Milliseconds": str(WINDOW_SECONDS * 1000),
        "X-HubSpot-RateLimit-Max": str(limit),
        "X-HubSpot-RateLimit-Remaining": str(remaining),
        "X-HubSpot-RateLimit-Secondly": str(limit // WINDOW_SECONDS),
        "X-HubSpot-RateLimit-Secondly-Remaining": str(limit // WINDOW_SECONDS),
    }
