"""An embedded portal and a client that speaks to it, as the tests of the emulator use them."""

from collections.abc import Mapping
from typing import Any

import httpx

from reconciler.emulator import Portal, create_app


class Account:
    """A fresh portal whose answers come back as plain values."""

    def __init__(self, seed: str = "empty", **switches: Any) -> None:
        self.portal = Portal.seeded(seed)
        self.portal.switches.update(switches)
        self.client = httpx.Client(
            transport=httpx.WSGITransport(create_app(self.portal)),
            base_url="http://portal.test",
            headers={"Authorization": "Bearer any", "Accept": "application/json"},
        )

    def call(self, method: str, path: str, body: Any = None, token: str = "any") -> tuple[int, Any]:
        """The status and the JSON of an answer, None when it has no body."""
        answer = self.client.request(method, path, json=body, headers={"Authorization": f"Bearer {token}"})
        return answer.status_code, answer.json() if answer.content else None

    def get(self, path: str) -> Any:
        """The JSON of a read that succeeds."""
        status, body = self.call("GET", path)
        assert status == 200, body
        return body

    def made(self, path: str, body: Any) -> Any:
        """The JSON of a POST that succeeds."""
        status, answer = self.call("POST", path, body)
        assert status in (200, 201), answer
        return answer

    def refused(self, method: str, path: str, body: Any = None) -> tuple[int, Any, Any]:
        """Status, category and subCategory of an answer that is no success; those it lacks are None."""
        status, answer = self.call(method, path, body)
        assert status >= 400, answer
        return status, answer.get("category"), answer.get("subCategory")

    def properties(self, object_type: str) -> Mapping[str, Any]:
        """The live definitions of an object type by name."""
        return {one["name"]: one for one in self.get(f"/crm/v3/properties/{object_type}")["results"]}
