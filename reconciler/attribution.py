"""Who moved a definition: HubSpot, a person, an integration, or our own key (the table of hubspot-api.md G.2).

HubSpot tells no author. What it tells is a time, sometimes a user id, and whose definition it is; the rest follows from
how these behave. So an actor always comes with how sure it is, and with the evidence in words.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from reconciler import vendor
from reconciler.baseline import STAGES
from reconciler.diff import Difference
from reconciler.kinds import kind_of, properties
from reconciler.model import Json, Resource
from reconciler.receipts import SETTLING, OwnWrites

if TYPE_CHECKING:
    from reconciler.diff import Field


@dataclass(frozen=True, slots=True)
class Actor:
    """Who moved something, how sure that is, and what tells it."""

    type: Literal["hubspot", "user", "integration", "tool", "unknown"]
    confidence: Literal["certain", "likely", "unknown"]
    evidence: str
    id: str | None = None
    name: str = ""

    def as_json(self) -> dict[str, Json]:
        """The actor as documents hold it."""
        told = {"type": self.type, "id": self.id, "confidence": self.confidence, "evidence": self.evidence}
        return {**told, "name": self.name} if self.name else told


def time_of(resource: Resource, name: str) -> str:
    """A time that says something, in one form; 1970 and nothing stand for unknown (real-drift.md 6)."""
    if resource.kind == STAGES:
        return max((_moment(stage.get(name)) for stage in resource.facts.get("stages", {}).values()), default="")
    return _moment(resource.facts.get(name))


@lru_cache(maxsize=8192)
def _moment(told: Json) -> str:
    """A time in UTC to the millisecond, whatever form it was sent in: text with any offset, or milliseconds."""
    if not told or isinstance(told, bool):
        return ""
    try:
        number = int(told) / 1000 if isinstance(told, int) or str(told).isdecimal() else None
        moment = datetime.fromtimestamp(number, UTC) if number is not None else datetime.fromisoformat(str(told))
    except (ValueError, OverflowError, OSError):
        return str(told)  # no time that we know, but the same text is the same time
    moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return "" if moment.year <= 1970 else moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def touched(old: Resource, new: Resource) -> bool:
    """Whether HubSpot says that a definition was written to; often nothing visible comes of it."""
    if new.kind != STAGES and old.facts.get("updatedAt") == new.facts.get("updatedAt"):
        return False
    after = time_of(new, "updatedAt")
    return bool(after) and after != time_of(old, "updatedAt")


def editor(old: Resource, new: Resource) -> str:
    """The user who edited a definition since it was known, where HubSpot names one."""
    user = new.facts.get("updatedUserId")
    return str(user) if user and (touched(old, new) or user != old.facts.get("updatedUserId")) else ""


def known_until(resource: Resource) -> str:
    """The latest time that a known definition carries: it was looked at then or later."""
    return time_of(resource, "updatedAt") or time_of(resource, "createdAt")


_SECOND = len("2026-11-26T12:00:00")  # what receipts tell


def outdated(receipts: OwnWrites, address: str, known: Resource | None) -> bool:
    """Whether a baseline has seen a definition after our own last write of it: then it knows better than receipts."""
    return known is not None and known_until(known)[:_SECOND] > receipts.at.get(address, "")[:_SECOND]


def _written_since(at: str, live: Resource) -> bool:
    """Whether HubSpot says that somebody wrote to a definition later than we did."""
    return time_of(live, "updatedAt") > _moment((datetime.fromisoformat(at) + SETTLING).isoformat())


@dataclass(frozen=True, slots=True)
class Attribution:
    """What is known beside the definition: our own writes, how new the baseline is, and mass touches."""

    known_until: str
    mass_touches: frozenset[str] = frozenset()
    receipts: OwnWrites = field(default_factory=OwnWrites)

    def actor(
        self,
        drift_class: str,
        changes: "Sequence[Field]",
        difference: Difference,
        family: vendor.Family,
        *,
        guessed: bool = False,
    ) -> tuple[Actor, str]:
        """Who it was, and when as far as HubSpot tells; whose a definition is may be a guess by its name."""
        old, new = difference.before, difference.after
        if self._our_own(changes, difference):
            at = self.receipts.at[difference.address]
            return Actor("tool", "certain", "the receipt of an apply from this machine says that it wrote this"), at
        if new is None:
            return _who_removed(family), ""
        if old is None:
            return self._who_added(drift_class, new, family, guessed), time_of(new, "createdAt")
        at = time_of(new, "updatedAt") if touched(old, new) else ""
        if family == "custom":
            return self._who_changed(old, new), at
        return self._who_changed_vendor(changes, difference, family), at

    def _our_own(self, changes: "Sequence[Field]", difference: Difference) -> bool:
        """Whether a receipt says that one of our applies from here left it like this."""
        address, receipts = difference.address, self.receipts
        if outdated(receipts, address, difference.before):
            return False
        if difference.after is None:
            return address in receipts.archived
        wrote = receipts.values.get(address, {})
        if not wrote or _written_since(receipts.at[address], difference.after):
            return False
        same = kind_of(address).same
        if difference.before is None:
            live = difference.after.attributes
            return all(same(path, wrote[path], live.get(path)) for path in wrote if path in live)
        return all(
            one.path in wrote
            and same(one.path, wrote[one.path], one.after)
            and receipts.replaced(address, one.path, one.before, same)
            for one in changes
        )

    def _who_added(self, drift_class: str, new: Resource, family: vendor.Family, guessed: bool) -> Actor:
        if user := new.facts.get("createdUserId"):  # of no definition that is HubSpot's everywhere (hubspot-api.md G.1)
            return self._person(user, "made it")
        if drift_class == "vendor.added":
            return self._rollout(time_of(new, "createdAt"), guessed)
        if family == "sync":
            return _integration(new, "made it; no user id")
        if new.kind != properties.NAME:
            return Actor("unknown", "unknown", "HubSpot does not tell who makes these")
        if family == "custom":
            return Actor("integration", "likely", "no user id: an integration or a process of HubSpot's made it")
        return Actor("unknown", "unknown", "HubSpot makes these when somebody in the portal makes what they belong to")

    def _rollout(self, made: str, guessed: bool) -> Actor:
        if not made:
            return Actor("hubspot", "likely", "global definition without a date")
        if made <= self.known_until:  # a feature or a tier was switched on (real-drift.md 6)
            return Actor("hubspot", "likely", f"defined since {made[:10]}, appeared now")
        if guessed:
            return Actor("hubspot", "likely", f"HubSpot-defined, created {made[:10]}; no list tells whether everywhere")
        return Actor("hubspot", "certain", f"global definition, created {made[:10]}")

    def _person(self, user: Json, did: str) -> Actor:
        return Actor("user", "likely", f"user {user} {did}", str(user))

    def _who_changed(self, old: Resource, new: Resource) -> Actor:
        if not time_of(new, "updatedAt"):
            return Actor("unknown", "unknown", "HubSpot keeps no times of it")
        if new.kind == STAGES:  # editing one moves the time of all (hubspot-api.md C.2)
            if touched(old, new):
                return Actor("user", "likely", "the lifecycle was edited in this portal; its stages share one time")
            return Actor("unknown", "unknown", "the time that the stages share did not move")
        if user := editor(old, new):
            return self._person(user, _edited(old, new))
        if not touched(old, new):
            return Actor("unknown", "unknown", "updatedAt did not move, which an edit does: a change of HubSpot's API?")
        return Actor("integration", "likely", "updatedAt moved, no user id, not HubSpot-defined")

    def _who_changed_vendor(self, changes: "Sequence[Field]", difference: Difference, family: vendor.Family) -> Actor:
        """Of a definition that HubSpot or an integration made: by what moved, and whether its time moved with it."""
        old, new = difference.before, difference.after
        assert old is not None
        assert new is not None
        heads = {change.path.partition("/")[0] for change in changes}
        if user := editor(old, new):
            return self._person(user, _edited(old, new))
        if heads <= PORTAL_FIELDS:
            return _who_arranged(changes, old, new)
        if heads <= {*PORTAL_FIELDS, "options"} and self.options_edited_in_portal(difference):
            return _who_edited_options(old, new)
        if touched(old, new):
            if family == "sync":
                return _integration(new, "updatedAt moved, no user id")
            whose = "global definition" if family == "global" else "HubSpot-defined"
            return Actor("hubspot", "likely", f"updatedAt moved, no user id, {whose}")
        if new.kind != properties.NAME:
            return Actor("unknown", "unknown", "HubSpot keeps no times of these: HubSpot, or somebody in the portal")
        if not time_of(new, "updatedAt"):
            return Actor("hubspot", "likely", "HubSpot-defined, without any time: it cannot be dated")
        if heads <= {"label", "inverseLabel", "description"}:
            return Actor(
                "unknown", "unknown", "updatedAt did not move: HubSpot's text layer, or somebody in the portal"
            )
        if vendor.definition_editable(new) and not heads & NOBODYS_FIELDS:
            return Actor("user", "likely", "updatedAt did not move, and a portal may change this definition")
        return Actor("hubspot", "likely", "updatedAt did not move, but nobody in a portal can change this")

    def options_edited_in_portal(self, difference: Difference) -> bool:
        """Whether it was somebody in the portal who edited the options of one of HubSpot's own enumerations.

        Such an edit never moves ``updatedAt`` (real-drift.md 6), which a mass touch may move all the same. HubSpot
        rewords options without moving it either, so texts alone tell nothing where a portal may not edit them.
        """
        old, new = difference.before, difference.after
        assert old is not None
        assert new is not None
        if editor(old, new):
            return True
        if vendor.options_locked(new):
            return False
        by_itself = touched(old, new) and time_of(new, "updatedAt") not in self.mass_touches
        if vendor.options_editable(new):
            return not by_itself
        options = [change.path for change in difference.fields if change.path.partition("/")[0] == "options"]
        texts = all(path.count("/") > 1 for path in options)
        return bool(time_of(new, "updatedAt")) and not touched(old, new) and not texts


def _edited(old: Resource, new: Resource) -> str:
    return "edited it last; " + ("updatedAt moved" if touched(old, new) else "the user id is new")


# What nobody in a portal can change once a definition is made, whatever its rights are (hubspot-api.md A.2, G.2).
NOBODYS_FIELDS = frozenset({*properties.CREATE_ONLY, "calculated", *vendor.RIGHTS})
# What a portal may change on any default (hubspot-api.md A.8); most such changes are the portals' own.
PORTAL_FIELDS = frozenset({"groupName", "hidden", "displayOrder"})


def _who_arranged(changes: "Sequence[Field]", old: Resource, new: Resource) -> Actor:
    """Who moved, hid or placed a default, which leaves neither a time nor a user id (hubspot-api.md G.1)."""
    if any(change.path == "groupName" and change.before == "" for change in changes):
        return Actor("hubspot", "likely", "it had no group before, as new definitions of HubSpot's do at first")
    if not time_of(new, "updatedAt"):
        return Actor("unknown", "unknown", "HubSpot keeps no times of it")
    if not touched(old, new):
        return Actor("user", "likely", "updatedAt did not move, which is how an edit in the portal looks")
    return Actor("user", "likely", "HubSpot touched it as well, but group, place and hidden are the portal's to set")


def _who_edited_options(old: Resource, new: Resource) -> Actor:
    if touched(old, new):
        return Actor("user", "likely", "a portal may edit these options; updatedAt moved, but with many others at once")
    return Actor("user", "likely", "updatedAt did not move, which is how an edit in the portal looks")


def _integration(new: Resource, told: str) -> Actor:
    """An integration, by name where the definition's own tells it."""
    if app := _APP.match(new.name):
        return Actor("integration", "likely", f"the app {app[1]} keeps it: {told}", app[1])
    system = "Salesforce" if "salesforce" in new.name else ""
    return Actor("integration", "likely", f"{system or 'an integration'} keeps it: {told}", system.lower() or None)


_APP = re.compile(r"a(\d+)_")


def _who_removed(family: vendor.Family) -> Actor:
    if family == "global":
        return Actor("hubspot", "likely", "global definition: withdrawn, or a feature was switched off")
    return Actor("unknown", "unknown", "HubSpot does not tell who archived it")
