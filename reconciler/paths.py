"""Paths of HubSpot's configuration API in each version that the settings can name."""

import re
from typing import NamedTuple
from urllib.parse import quote

VERSIONS = ("v3", "2026-03", "2026-09")


class Api(NamedTuple):
    """Builds request paths for one API version; ``v3`` means v4 for associations."""

    version: str = "v3"

    def properties(self, object_type: str, *rest: str) -> str:
        """The properties of an object type, or one of them."""
        return self._versioned("properties", object_type, *rest)

    def groups(self, object_type: str, *rest: str) -> str:
        """The property groups of an object type, or one of them."""
        return self._versioned("properties", object_type, "groups", *rest)

    def pipelines(self, object_type: str, *rest: str) -> str:
        """The pipelines of an object type, one of them, its stages, or one of those."""
        return self._versioned("pipelines", object_type, *rest)

    def labels(self, from_type: str, to_type: str, *rest: str) -> str:
        """The association labels in one direction of a pair of object types."""
        head = "/crm/v4/associations" if self.version == "v3" else f"/crm/associations/{self.version}"
        return _path(head, from_type, to_type, "labels", *rest)

    def schemas(self, *rest: str) -> str:
        """Custom object schemas, or the schema of one object type with its association definitions."""
        return _path(f"/crm-object-schemas/{self.version}/schemas", *rest)

    def account(self) -> str:
        """The details of the account that the token belongs to."""
        return f"/account-info/{self.version}/details"

    def limits(self, *rest: str) -> str:
        """How much room is left, by kind of definition."""
        head = "/crm/v3/limits" if self.version == "v3" else f"/crm/limits/{self.version}"
        return _path(head, *rest)

    def owners(self) -> str:
        """The owners of records, who are the users that may have edited something."""
        return "/crm/v3/owners?limit=500" if self.version == "v3" else f"/crm/owners/{self.version}?limit=500"

    def users(self) -> str:
        """The users of the account."""
        return f"/settings/{'v3/users' if self.version == 'v3' else f'users/{self.version}'}?limit=100"

    def stage_audit(self, object_type: str, pipeline: str) -> str:
        """Who changed what in a pipeline and its stages."""
        return self.pipelines(object_type, pipeline, "audit")

    def audit_log(self, since: str) -> str:
        """What users did in the account since then, newest first; Enterprise accounts have it."""
        return f"/account-info/{self.version}/activity/audit-logs?limit=100&occurredAfter={quote(since, safe='')}"

    def search(self, object_type: str) -> str:
        """The search for records, of which only the count is used."""
        head = "/crm/v3/objects" if self.version == "v3" else f"/crm/objects/{self.version}"
        return _path(head, object_type, "search")

    def _versioned(self, resource: str, *rest: str) -> str:
        head = f"/crm/v3/{resource}" if self.version == "v3" else f"/crm/{resource}/{self.version}"
        return _path(head, *rest)


TOKEN_INFO = "/oauth/v2/private-apps/get/access-token-info"


def _path(head: str, *rest: str) -> str:
    return "/".join((head, *(quote(part, safe="") for part in rest)))


_DATED = r"/crm/(properties|pipelines|limits|objects|associations)/\d{4}-\d\d(?=/)"


def undated(path: str) -> str:
    """A path in its v3 form (v4 for associations), so that reads of different API versions can be matched."""
    path = re.sub(_DATED, lambda found: f"/crm/{'v4' if found[1] == 'associations' else 'v3'}/{found[1]}", path)
    return re.sub(r"^/(crm-object-schemas|account-info)/\d{4}-\d\d/", r"/\1/v3/", path)
