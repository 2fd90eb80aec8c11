"""Addresses: the path of an entry in the YAML, such as ``properties/contacts/cs_plan_tier/options/gold``."""

import re
from collections.abc import Iterable
from functools import lru_cache


def encode(segment: str) -> str:
    """One name as an address segment: ``/`` and ``%`` are percent-encoded."""
    if "%" in segment or "/" in segment:
        return segment.replace("%", "%25").replace("/", "%2F")
    return segment


def decode(segment: str) -> str:
    """The name that an address segment stands for."""
    if "%" in segment:
        return segment.replace("%2F", "/").replace("%2f", "/").replace("%25", "%")
    return segment


def join(*names: str) -> str:
    """The address of the entry that these names lead to."""
    return "/".join(map(encode, names))


def split(address: str) -> tuple[str, ...]:
    """The names that lead to the entry of an address."""
    return tuple(map(decode, address.split("/")))


@lru_cache(maxsize=1024)
def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile("[^/]*".join(map(re.escape, pattern.split("*"))))


def matches(pattern: str, address: str) -> bool:
    """Whether a pattern names exactly this address; ``*`` stays within one segment."""
    return _expression(pattern).fullmatch(address) is not None


def covers(pattern: str, address: str) -> bool:
    """Whether a pattern names this address or anything above it: a property covers its options."""
    segments = address.split("/")
    depth = pattern.count("/") + 1
    return len(segments) >= depth and matches(pattern, "/".join(segments[:depth]))


def any_covers(patterns: Iterable[str], address: str) -> bool:
    """Whether one of the patterns names this address or anything above it."""
    return any(covers(pattern, address) for pattern in patterns)
