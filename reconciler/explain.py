"""Explains one definition: what specs, portal and baseline say of each field, and what follows from that."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from reconciler import acceptances, attribution, coverage, integrations, overlays, people, report, source_file, vendor
from reconciler.address import any_covers, covers, encode, join, split
from reconciler.drift import WHOLE, Drift
from reconciler.drift_check import attributed, detected
from reconciler.errors import AccessError, UsageError
from reconciler.evidence import Asker
from reconciler.ignore import IgnoreRule
from reconciler.integrations import Integration
from reconciler.kinds import kind_of, kinds, lifecycle_stages, properties
from reconciler.model import Finding, Json, Resource, Source
from reconciler.paths import Api
from reconciler.plan import Change, Plan
from reconciler.planning import Situation, Wishes, make
from reconciler.receipts import own_writes
from reconciler.schema import depth, entry_schema
from reconciler.source_file import SourceFile
from reconciler.spec import Spec
from reconciler.workspace import Workspace

STAGES = lifecycle_stages.NAME
QUIET = (None, "", False, -1)  # values that tell nothing where nobody declared or changed them


@dataclass(frozen=True)
class Subject:
    """One definition, the part of it that was asked for, and everything that is known around it."""

    situation: Situation
    address: str
    below: str  # the path of an option or a field in it; empty for the whole
    plan: Plan
    items: Sequence[Mapping[str, Json]]
    notes: Sequence[Finding]  # on who moved it
    names: Mapping[str, str]  # of people, by user id

    @property
    def declared(self) -> Resource | None:
        """What the specs say."""
        return self.situation.spec.desired.get(self.address)

    @property
    def live(self) -> Resource | None:
        """What HubSpot says."""
        return self.situation.observation.snapshot.get(self.address)

    @property
    def accepted(self) -> Resource | None:
        """What the baseline says."""
        known = self.situation.workspace.baseline
        return known.snapshot.get(self.address) if known else None

    @property
    def change(self) -> Change | None:
        """What a plan would do."""
        return next((one for one in self.plan.changes if one.address == self.address), None)

    @property
    def rules(self) -> list[IgnoreRule]:
        """The ignore rules that touch it, also those that have expired."""
        every = self.situation.workspace.settings.ignore
        return [one for one in every if one.touches(self.address) or (self.below and one.covers(self.whole))]

    @property
    def whole(self) -> str:
        """The address that was asked for."""
        return f"{self.address}/{self.below}" if self.below else self.address


def explain(
    workspace: Workspace, spec: Spec, source: people.Source, asker: Asker | None, address: str, now: datetime
) -> dict[str, Json]:
    """Everything about one address, as a document."""
    portal_id = workspace.check_identity(source)
    scope = workspace.scope(spec, baselined=True)
    observation = workspace.observe(source, scope)
    written = own_writes(workspace.receipts, now, portal_id)
    situation = Situation(workspace, spec, scope, observation, portal_id, written, asker, now.date())
    definition, below = _parted(address, situation)
    known, ignored = workspace.baseline, situation.ignored
    found = detected(known, observation, spec, (definition,), ignored, written) if known else Drift((), ())
    own = replace(found, items=tuple(item for item in found.items if item.address == definition))
    own, notes = attributed(workspace, own, source) if known else (own, [])
    names = {} if notes else _names(observation.snapshot.get(definition), own, source, workspace.api)
    items = [item.as_json(workspace.flags) for item in own.items]
    about = Subject(situation, definition, below, make(situation, Wishes(only=(definition,))), items, notes, names)
    _refuse_unknown_part(about)
    document = {
        **report.header("explain", workspace.portal_json(portal_id), now),
        "complete": observation.complete,
        "reads": [one for one in report.reads_json(observation.collections) if one["collection"] in _lists(about)],
        **_document(about),
        "errors": [dict(error) for error in about.plan.errors],
    }
    return report.finished(document)


def _names(live: Resource | None, own: Drift, source: people.Source, api: Api) -> Mapping[str, str]:
    """The people who made and last changed it; those that its drift names are not asked for again."""
    known = {item.actor.id: item.actor.name for item in own.items if item.actor.id and item.actor.name}
    users = [live.facts.get(f"{event}UserId") for event in ("created", "updated")] if live else []
    return {**known, **people.called({str(user) for user in users if user} - known.keys(), source, api)[0]}


def _lists(about: Subject) -> set[str]:
    head = about.address.rpartition("/")[0]
    return {name for name in about.situation.observation.collections if name == head or name.startswith(head + "/")}


def _parted(address: str, situation: Situation) -> tuple[str, str]:
    """The definition and the path below it; an address of nothing is an error that says what may be meant."""
    sections = {kind.NAME: 1 + depth(kind.SCHEMA) for kind in kinds()}
    names = split(address)
    known = situation.workspace.baseline
    there = {*situation.spec.desired, *situation.observation.snapshot, *(known.snapshot if known else ())}
    there |= {one for one in situation.spec.removed if "/options/" not in one}
    length = sections.get(names[0], 0)
    definition = join(*names[:length]) if length and len(names) >= length else ""
    if definition in there and "*" not in address:
        return definition, "/".join(map(encode, names[length:]))
    if definition and (unread := situation.observation.unreadable(definition)):
        raise AccessError(f"{unread.name} could not be read, so nothing is known of {address}", hint=unread.detail)
    raise UsageError(
        f"nothing in the specs, the portal or the baseline is called {address}", hint=_meant(address, there)
    )


def _refuse_unknown_part(about: Subject) -> None:
    """An option or a field that nobody knows is a slip of the pen, unless HubSpot may know it and was not asked."""
    if about.situation.observation.unreadable(about.address):
        return
    known = _paths(about)
    fields = {*entry_schema(kind_of(about.address).SCHEMA)["properties"], *known}
    stones = [one.partition(about.address + "/")[2] for one in about.situation.spec.removed]
    if about.below and not any(_asked(about, one) for one in (*fields, *stones)):
        raise UsageError(
            f"nothing in {about.address} is called {about.below}",
            hint=_meant(about.whole, {f"{about.address}/{one}" for one in known}),
        )


def _asked(about: Subject, path: str) -> bool:
    """Whether a field is what was asked for, or in it, or around it; a stage has its fields in two lists."""
    below = about.below
    either = about.address.startswith(STAGES) and path.rpartition("/")[2] == below
    return not below or covers(below, path) or (below.startswith(f"{path}/") and path != "options") or either


def _meant(address: str, there: set[str]) -> str:
    from reconciler.wording import did_you_mean

    named = sorted(one for one in there if one.rpartition("/")[2] == address or covers(address, one))
    if named:
        more = f" and {len(named) - 5} more" if len(named) > 5 else ""
        return f"did you mean {', '.join(named[:5])}{more}? One address at a time"
    return did_you_mean(address, there) or "an address is the path of an entry in the YAML: properties/contacts/NAME"


def _document(about: Subject) -> dict[str, Json]:
    change = about.change
    return {
        "address": about.address,
        "below": about.below,
        "title": _title(about),
        "spec": _spec(about),
        "live": _live(about),
        "baseline": _baseline(about),
        "fields": _fields(about),
        "drift": [one for one in about.items if _concerns(one, about.below)],
        "change": report.change_json(change) if change else None,
        "ignore": [_rule(one, about) for one in about.rules],
        "protected": [one for one in about.situation.workspace.settings.protected if covers(one, about.whole)],
        "integrations": list(_integrations(about)),
        "findings": [
            *(one.as_json() for one in about.plan.findings if covers(about.address, one.address)),
            *(one.as_json() for one in about.notes),
        ],
    }


def _title(about: Subject) -> str:
    """Its label: of a stage the one that contacts, or companies, see."""
    for resource in filter(None, (about.live, about.declared, about.accepted)):
        sides = [resource.attributes, *(one for one in resource.attributes.values() if isinstance(one, Mapping))]
        if label := next((side["label"] for side in sides if side.get("label")), None):
            return str(label)
    return ""


def _concerns(item: Mapping[str, Json], below: str) -> bool:
    """Whether an item tells of what was asked for, and not of something beside it."""
    paths = [one["path"] for one in item["fields"]]
    return not below or item["class"].endswith(WHOLE) or any(covers(below, one) or covers(one, below) for one in paths)


# --- the three sides -------------------------------------------------------------------------------------------------


def _spec(about: Subject) -> dict[str, Json]:
    """Whether the specs declare it, in full or in part, remove it, or say nothing."""
    declared = about.declared
    removed = about.situation.spec.removed
    stones = [one for one in removed.values() if any_covers([one.address], about.whole)]
    told: dict[str, Json] = {"state": "removed" if stones else "absent", "source": None, "meta": {}}
    if declared is not None:
        told = {"state": "partial" if _partial(declared) else "full", "source": _place(declared.source)}
        told["meta"] = dict(declared.facts.get("meta", {}))
        told["exact"] = bool(declared.facts.get("exact"))
    told["removals"] = [{"address": one.address, "reason": one.reason, "source": _place(one.source)} for one in stones]
    return told


def _partial(declared: Resource) -> bool:
    return declared.kind == properties.NAME and "type" not in declared.attributes


def _place(source: Source | None) -> Json:
    return dict(source._asdict()) if source else None


def _live(about: Subject) -> dict[str, Json]:
    """Whether HubSpot has it, whose it is, who made it and who touched it last."""
    if collection := about.situation.observation.unreadable(about.address):
        return {"state": "not_read", "detail": collection.detail}
    live = about.live
    if live is None:
        return {"state": "absent"}
    family = "default" if coverage.default_stage(live) else vendor.family(live)
    told: dict[str, Json] = {"state": "present", "family": family, "mayChange": list(_editable(live))}
    for name, event in (("created", "createdAt"), ("updated", "updatedAt")):
        user = live.facts.get(f"{name}UserId")
        told[name] = {"at": attribution.time_of(live, event) or None, "user": user and str(user)}
        if named := about.names.get(str(user)):
            told[name]["name"] = named
    ids = {name: live.facts[name] for name in ("ids", "typeIds") if live.facts.get(name)}
    return {**told, **ids}


def _editable(live: Resource) -> Iterator[str]:
    """What of a property HubSpot lets a portal change."""
    if live.kind == properties.NAME:
        definition, options = properties.editable(live.facts)
        yield from ["definition"] * definition + ["options"] * options


def _baseline(about: Subject) -> dict[str, Json]:
    workspace = about.situation.workspace
    known = workspace.baseline
    if known is None:
        return {"state": "none", "managed": False}
    consents = acceptances.of_address(acceptances.load(workspace.baseline_directory), about.address)
    state = "present" if about.accepted else "absent"
    if not about.accepted and all(one["address"] != about.address for one in consents):
        consents = []  # to whole lists, in which it was not
    told = {"acceptances": [dict(one) for one in consents]} if consents else {}
    return {"state": state, "managed": about.address in known.managed, **told}


# --- fields ----------------------------------------------------------------------------------------------------------


def _flat(resource: Resource | None, about: Subject) -> dict[str, Json]:
    """Fields by path; options and the two sides of a stage one by one."""
    found: dict[str, Json] = {}
    for name, value in resource.attributes.items() if resource else ():
        if resource is about.declared and about.address.startswith(STAGES):
            sides = about.live or about.accepted
            found |= {f"{side}/{name}": value for side in (sides.attributes if sides else lifecycle_stages.OBJECTS)}
        elif isinstance(value, Mapping):
            found |= {f"{name}/{encode(key)}": part for key, part in value.items()}
            if _reordered(about, name):
                found[name] = list(value)
        else:
            found[name] = value
    return found


def _reordered(about: Subject, name: str) -> bool:
    """Whether the order of options differs, which is a fact of its own."""
    planned = [one.path for one in about.change.fields if one.how == "changed"] if about.change else []
    return name in planned or any(one["path"] == name for item in about.items for one in item["fields"])


def _sides(about: Subject) -> dict[str, dict[str, Json]]:
    sides = {"declared": about.declared, "live": about.live, "accepted": about.accepted}
    return {name: _flat(resource, about) for name, resource in sides.items()}


def _paths(about: Subject) -> list[str]:
    """The fields that any of the three sides has."""
    return list(dict.fromkeys(path for values in _sides(about).values() for path in values))


def _fields(about: Subject) -> list[dict[str, Json]]:
    """The fields worth a line: declared, set, or moved; below what was asked for."""
    sides = _sides(about)
    file = (
        about.declared
        and about.declared.source
        and source_file.read(Path(about.declared.source.file), about.declared.source.file)
    )
    fields = []
    for path in _paths(about):
        here = {side: values[path] for side, values in sides.items() if path in values}
        moved = about.accepted is not None and here.get("accepted") != here.get("live")
        telling = "declared" in here or here.get("live") not in QUIET or moved or about.below
        if telling and _asked(about, path):
            state, why = _state(about, path)
            place = _place(_origin(about, path, file)) if "declared" in here and file else None
            owned = _owned(about, path, "declared" in here)
            fields.append({"path": path, **here, "owned": owned, "source": place, "state": state, "why": why})
    return fields


def _owned(about: Subject, path: str, declared: bool) -> str:
    """Ours by declaration; watched, as every field of a full definition is; ignored; or left alone."""
    if declared or (about.declared and about.address.startswith(STAGES)):  # a list says the place of a stage, too
        return "declared"
    if any(rule.covers(about.address, path) for rule in about.situation.ignored):
        return "ignored"
    full = about.declared is not None and (
        "type" in about.declared.attributes or about.declared.kind != properties.NAME
    )
    return "watched" if full else "left"


def _origin(about: Subject, path: str, file: SourceFile) -> Source:
    """Where a declared field stands: in the file of its entry, or in the overlay that gives it."""
    declared = about.declared
    assert declared is not None
    field = path.rpartition("/")[2] if declared.kind == STAGES else path  # a stage is declared once for both sides
    if given := overlays.origin(declared, field):
        return given
    value: Json = file.document.value if file.document else None
    steps: list[str | int] = []
    for name in split(f"{about.address}/{field}"):
        if isinstance(value, Mapping) and "values" in value and name not in value:
            value, steps = value["values"], [*steps, "values"]
        if isinstance(value, list):
            at = next((at for at, one in enumerate(value) if name in (one.get("value"), one.get("name"))), None)
            value, steps = (None, steps) if at is None else (value[at], [*steps, at])
        elif isinstance(value, Mapping) and name in value:
            value, steps = value[name], [*steps, name]
    return file.place(*steps, key=True)


def _state(about: Subject, path: str) -> tuple[str, str]:
    """Whether a field is as it should be, and if not, who or what is behind it."""
    change = about.change
    if change and change.action in ("create", "restore"):
        return change.action, ""
    name = path.rpartition("/")[2] if about.address.startswith(STAGES) else path
    for planned in change.fields if change else ():
        if planned.path in (path, name) or planned.path.startswith(path + "/"):
            return planned.cause, ""
    for item in about.items:
        if any(one["path"] == path or one["path"].startswith(path + "/") for one in item["fields"]):
            return "moved", str(item["actor"]["evidence"])
    return "as_it_is", ""


# --- what touches it -------------------------------------------------------------------------------------------------


def _rule(rule: IgnoreRule, about: Subject) -> dict[str, Json]:
    return {
        "address": rule.address,
        "fields": list(rule.fields),
        "reason": rule.reason,
        "expires": rule.expires.isoformat() if rule.expires else None,
        "holds": rule.holds(about.situation.today),
        "source": _place(rule.source),
    }


def _integrations(about: Subject) -> Iterator[dict[str, Json]]:
    """Who needs it, and what they do not find in the portal as it is."""
    meta = about.declared.facts.get("meta", {}) if about.declared else {}
    consumers: Sequence[str] = meta.get("consumers", ())
    systems = about.situation.spec.integrations
    for one in systems:
        wants = _wants(one, about)
        if wants is None and not one.consumes(about.address, consumers):
            continue
        unmet = integrations.breaches(one, about.address, about.live) if wants and about.live else ()
        yield {
            "integration": one.name,
            "pack": one.pack,
            "requires": dict(wants or {}),
            "unmet": [breach.why for breach in unmet],
            "source": _place(one.source),
        }
    named = {name for one in systems for name in (one.name, one.pack)}
    for name in consumers:
        if name not in named:
            where = _place(about.declared.source) if about.declared else None
            yield {"integration": name, "pack": "", "requires": {}, "unmet": [], "source": where}


def _wants(one: Integration, about: Subject) -> Mapping[str, Json] | None:
    """What an integration requires of it; of a stage, that the option that mirrors it is there."""
    if not about.address.startswith(STAGES):
        return one.requires.get(about.address)
    stage = about.live or about.accepted
    names = {split(about.address)[1], *(stage.facts.get("ids", {}).values() if stage else ())}
    for object_type in lifecycle_stages.OBJECTS:
        mirror = one.requires.get(join(properties.NAME, object_type, integrations.STAGE_MIRROR), {})
        if wanted := [value for value in mirror.get("options", ()) if value in names]:
            return {"options": wanted}
    return None
