"""What a handler gets and gives, and how the paths of several API versions are one route."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.emulator.errors import invalid_json, missing_scopes, validation_error
from reconciler.emulator.store import Portal

DATED = r"2025-09|2026-03|2026-09"


@dataclass(frozen=True)
class Request:
    """One call, after the token was accepted."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    token: str
    user_id: str
    headers: Mapping[str, str]
    scopes: frozenset[str] | None = None

    def require_any(self, *scopes: str) -> None:
        """Refuses a token that has none of these scopes; a token without a list has them all."""
        if self.scopes is not None and not self.scopes & {*scopes}:
            raise missing_scopes(scopes)

    def flag(self, name: str) -> bool:
        """A boolean of the query string."""
        return self.query.get(name, "false").lower() == "true"

    def number(self, name: str, otherwise: int) -> int:
        """A whole number of the query string."""
        text = self.query.get(name, str(otherwise))
        if not re.fullmatch(r"\d{1,9}", text):
            raise validation_error(f"{name} must be a number, and not '{text}'")
        return int(text)

    def fields(self) -> dict[str, Any]:
        """The body, which has to be a JSON object."""
        if not isinstance(self.body, dict):
            raise invalid_json("Cannot deserialize value from this token: an object is expected")
        return self.body


@dataclass(frozen=True)
class Response:
    """One answer: a body of None is empty, a text is sent as HTML, bytes are JSON already."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Portal, Request, Mapping[str, str]], Response]
Route = tuple[str, str, Handler]


def versioned(area: str, undated: str = "v3", versions: str = DATED) -> str:
    """The start of a path under /crm, in its v3 (or v4) and its dated form."""
    return rf"/crm/(?:{undated}/{area}|{area}/(?P<version>{versions}))"


def results(items: Iterable[Any], status: int = 200) -> Response:
    """A list answer; HubSpot pages none of the definition lists."""
    return Response(status, {"results": [*items]})
