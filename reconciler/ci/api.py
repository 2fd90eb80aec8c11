"""A CI host's API: calls that are made, or that a dry run only tells of."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from reconciler.client import Web
from reconciler.errors import HostRefused, UnavailableError
from reconciler.model import Json
from reconciler.trouble import Raw

PAGE = 100
PAGES = 50  # more comments or issues than that are not ours
PAUSES = (1.0, 3.0)  # before a read, or what a host asks us to repeat, is tried again
LONGEST_WAIT = 30.0


class Api(Protocol):
    """What the surfaces need of a host."""

    def items(self, path: str) -> list[Json]:
        """All entries of a list that comes in pages."""
        ...

    def get(self, path: str) -> Json:
        """One thing."""
        ...

    def send(self, method: str, path: str, body: Json = None) -> Json:
        """A write."""
        ...


@dataclass(frozen=True, slots=True)
class LiveApi:
    """A host that is really there."""

    web: Web
    host: str  # as people call it
    wait: Callable[[float], None] = field(repr=False)

    def items(self, path: str) -> list[Json]:
        """All entries of a list that comes in pages."""
        found: list[Json] = []
        mark = "&" if "?" in path else "?"
        for page in range(1, PAGES + 1):
            listed = _listed(self.get(f"{path}{mark}per_page={PAGE}&page={page}"))
            if listed is None:
                raise UnavailableError(f"{self.host} answered GET {path} with something that is no list")
            found += listed
            if len(listed) < PAGE:
                break
        return found

    def get(self, path: str) -> Json:
        """One thing; read again where the host had a bad moment."""
        return self.send("GET", path)

    def send(self, method: str, path: str, body: Json = None) -> Json:
        """What the host answered; a write is repeated only where the host says that it did nothing."""
        for pause in PAUSES:
            try:
                raw = self.web.send(method, path, body)
            except UnavailableError:
                if method != "GET":
                    raise
            else:
                asked = _asked_to_wait(raw)
                if asked is None and not (method == "GET" and raw.status >= 500):
                    return self._believed(raw, method, path)
                pause = pause if asked is None else asked
            self.wait(pause)
        return self._believed(self.web.send(method, path, body), method, path)

    def _believed(self, raw: Raw, method: str, path: str) -> Json:
        if raw.status >= 400:
            raise HostRefused(
                raw.status,
                f"{self.host} answered {method} {path} with {raw.status}{_reason(raw)}",
                request=f"{method} {path}",
                hint=_permission(raw.headers),
            )
        try:
            return json.loads(raw.content) if raw.content.strip() else {}
        except ValueError as error:
            message = f"{self.host} answered {method} {path} with something that is not JSON"
            raise UnavailableError(message) from error


def _listed(body: Json) -> list[Json] | None:
    """The entries of a page; some of GitHub's lists stand in an object, beside their count."""
    parts = [body] if isinstance(body, list) else list(body.values()) if isinstance(body, Mapping) else []
    return next((part for part in parts if isinstance(part, list)), None)


def _asked_to_wait(raw: Raw) -> float | None:
    """The seconds that a host asks for before the same call again; it refused this one without doing anything."""
    text = raw.headers.get("retry-after", "")
    if raw.status in (403, 429, 503) and text.isdecimal() and float(text) <= LONGEST_WAIT:
        return float(text)
    return None


def _reason(raw: Raw) -> str:
    try:
        body = json.loads(raw.content)
    except ValueError:
        return ""
    told = body.get("message") or body.get("error") if isinstance(body, Mapping) else None
    return f": {told if isinstance(told, str) else json.dumps(told)}"[:300] if told else ""


def _permission(headers: Mapping[str, str]) -> str:
    """The permission that GitHub says the call needs, as a workflow writes it."""
    needed = headers.get("x-accepted-github-permissions", "")
    return needed.split(";")[0].replace("_", "-").replace("=", ": ").replace(",", ", ")


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A host that is told of every call and finds nothing: what a dry run talks to."""

    say: Callable[[str], None]

    def items(self, path: str) -> list[Json]:
        """Nothing is there yet."""
        self.say(f"would call GET {path}")
        return []

    def get(self, path: str) -> Json:
        """Nothing is known."""
        self.say(f"would call GET {path}")
        return {}

    def send(self, method: str, path: str, body: Json = None) -> Json:
        """The call, and what it would carry."""
        told = f" {json.dumps(body, ensure_ascii=False)}" if body is not None else ""
        self.say(f"would call {method} {path}{told}")
        return {}
