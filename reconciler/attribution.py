"""Who moved a definition: HubSpot, a person, an integration, or our own key (the table of hubspot-api.md G.2).

HubSpot tells no author. What it tells is a time, sometimes a user id, and whose definition it is; the rest follows from
how these behave. So an actor always comes with how sure it is, and with the evidence in words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from reconciler import vendor
from reconciler.baseline import STAGES
from reconciler.diff import Difference, FieldChange
from reconciler.kinds import properties
from reconciler.model import Json, Resource


@dataclass(frozen=True, slots=True)
class Actor:
    """Who moved something, how sure that is, and what tells it."""

    type: Literal["hubspot", "user", "integration", "tool", "unknown"]
    confidence: Literal["certain", "likely", "unknown"]
    evidence: str
    id: str | None = None

    def as_json(self) -> dict[str, Json]:
        """The actor as documents hold it."""
        return {"type": self.type, "id": self.id, "confidence": self.confidence, "evidence": self.evidence}


def time_of(resource: Resource, name: str) -> str:
    """A time that says something; 1970 and nothing stand for unknown (real-drift.md 6)."""
    if resource.kind == STAGES:
        return max((str(stage.get(name) or "") for stage in resource.facts.get("stages", {}).values()), default="")
    text = str(resource.facts.get(name) or "")
    return "" if text.startswith("1970") else text


def touched(old: Resource, new: Resource) -> bool:
    """Whether HubSpot says that a definition was written to; often nothing visible comes of it."""
    after = time_of(new, "updatedAt")
    return bool(after) and after != time_of(old, "updatedAt")


def known_until(resource: Resource) -> str:
    """The latest time that a known definition carries: it was looked at then or later."""
    return time_of(resource, "updatedAt") or time_of(resource, "createdAt")


@dataclass(frozen=True, slots=True)
class Attribution:
    """What is known beside the definition: the user behind our own key, and how new the baseline is at least."""

    own_user_id: str | None
    known_until: str

    def actor(
        self, drift_class: str, changes: Sequence[FieldChange], difference: Difference, family: vendor.Family
    ) -> tuple[Actor, str]:
        """Who it was, and when as far as HubSpot tells."""
        old, new = difference.before, difference.after
        if new is None:
            return _who_removed(family), ""
        if old is None:
            return self._who_added(drift_class, new, family), time_of(new, "createdAt")
        at = time_of(new, "updatedAt") if touched(old, new) else ""
        if family == "custom":
            return self._who_changed(old, new), at
        return _who_changed_vendor(drift_class, changes, old, new, family), at

    def _who_added(self, drift_class: str, new: Resource, family: vendor.Family) -> Actor:
        user = new.facts.get("createdUserId")
        if drift_class == "vendor.added":
            return self._rollout(time_of(new, "createdAt"))
        if user:
            return self._person(user, "made it")
        if new.kind != properties.NAME:
            return Actor("unknown", "unknown", "HubSpot does not tell who makes these")
        if family == "custom":
            return Actor("integration", "likely", "no user id: an integration or a process of HubSpot's made it")
        return Actor("unknown", "unknown", "HubSpot makes these when somebody in the portal makes what they belong to")

    def _rollout(self, made: str) -> Actor:
        if not made:
            return Actor("hubspot", "likely", "global definition without a date")
        if made <= self.known_until:  # a feature or a tier was switched on (real-drift.md 6)
            return Actor("hubspot", "likely", f"defined since {made[:10]}, appeared now")
        return Actor("hubspot", "certain", f"global definition, created {made[:10]}")

    def _person(self, user: Json, did: str) -> Actor:
        if str(user) == self.own_user_id:
            return Actor("tool", "likely", f"the user of our own key {did}: another run, or its owner", str(user))
        return Actor("user", "likely", f"user {user} {did}", str(user))

    def _who_changed(self, old: Resource, new: Resource) -> Actor:
        if not time_of(new, "updatedAt"):
            return Actor("unknown", "unknown", "HubSpot keeps no times of it")
        if new.kind == STAGES:  # editing one moves the time of all (hubspot-api.md C.2)
            if touched(old, new):
                return Actor("user", "likely", "the lifecycle was edited in this portal; its stages share one time")
            return Actor("unknown", "unknown", "the time that the stages share did not move")
        if not touched(old, new):
            return Actor("unknown", "unknown", "updatedAt did not move, which an edit does: a change of HubSpot's API?")
        if user := new.facts.get("updatedUserId"):
            return self._person(user, "edited it last; updatedAt moved")
        return Actor("integration", "likely", "updatedAt moved, no user id, not HubSpot-defined")


def _who_changed_vendor(
    drift_class: str, changes: Sequence[FieldChange], old: Resource, new: Resource, family: vendor.Family
) -> Actor:
    moved, user = touched(old, new), new.facts.get("updatedUserId")
    if user and moved:
        return Actor("user", "likely", f"updatedAt moved; user {user} edited it last", str(user))
    if drift_class.startswith(("managed.", "portal.")):
        return _who_edited_portal(changes, old, new)
    if moved:
        whose = "global definition" if family == "global" else "HubSpot-defined"
        return Actor("hubspot", "likely", f"updatedAt moved, no user id, {whose}")
    if not time_of(new, "updatedAt"):
        return Actor("hubspot", "likely", "HubSpot-defined, without any time: it cannot be dated")
    if drift_class in ("vendor.relabelled", "vendor.described"):
        return Actor("unknown", "unknown", "updatedAt did not move: HubSpot's text layer, or somebody in the portal")
    if vendor.definition_editable(new):
        return Actor("user", "likely", "updatedAt did not move, and a portal may change this definition")
    return Actor("hubspot", "likely", "updatedAt did not move, but nobody in a portal can change this")


def _who_edited_portal(changes: Sequence[FieldChange], old: Resource, new: Resource) -> Actor:
    """What a portal may change on a default leaves neither a time nor a user id (hubspot-api.md G.1)."""
    if not time_of(new, "updatedAt"):
        return Actor("unknown", "unknown", "HubSpot keeps no times of it")
    if not touched(old, new):
        return Actor("user", "likely", "updatedAt did not move, which is how an edit in the portal looks")
    if any(change.path == "groupName" and change.before == "" for change in changes):
        return Actor("hubspot", "likely", "updatedAt moved, and it had no group before")
    return Actor("unknown", "unknown", "updatedAt moved as well, so it may have been HubSpot")


def _who_removed(family: vendor.Family) -> Actor:
    if family == "global":
        return Actor("hubspot", "likely", "global definition: withdrawn, or a feature was switched off")
    return Actor("unknown", "unknown", "HubSpot does not tell who archived it")
