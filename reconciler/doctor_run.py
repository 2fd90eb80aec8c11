"""Gathers what the doctor judges: this machine, the files, and what one portal answers to a few reads."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from reconciler import ignore, object_types, upkeep
from reconciler import spec as specs
from reconciler.address import join, split
from reconciler.doctor import Facts
from reconciler.drift_check import beginning
from reconciler.errors import ReconcilerError
from reconciler.evidence import scopes_of
from reconciler.kinds import association_labels, lifecycle_stages, properties, property_groups
from reconciler.model import Json, Reads
from reconciler.receipts import own_writes
from reconciler.spec import Spec
from reconciler.workspace import Workspace
from reconciler.yaml_events import FAST

if TYPE_CHECKING:
    from reconciler.client import Reader


def examined(workspace: Workspace, now: datetime) -> Facts:
    """Everything that can be known here and now; whatever fails is a fact as well."""
    loaded = specs.load(workspace.directory, workspace.portal.name) if specs.has_specs(workspace.directory) else None
    types, pairs = _object_types(workspace, loaded), _pairs(loaded)
    baseline = _baseline(workspace)
    lacking = _unbaselined(workspace, types, pairs) if isinstance(baseline, bool) else ()
    errors = [one for one in loaded.findings if one.severity == "error"] if loaded else []
    local = Facts(
        python=sys.version_info[:3],
        fast_yaml=FAST,
        settings=workspace.settings,
        portal=workspace.portal,
        token_set=bool(workspace.token),
        spec_errors=len(errors) if loaded else None,
        object_types=types,
        pairs=pairs,
        baseline=baseline,
        now=now,
        unbaselined=lacking,
        begin=beginning(workspace, lacking),
        flags=workspace.flags,
        upkeep=[
            *upkeep.receipts(own_writes(workspace.receipts, now, workspace.portal.portal_id).unread),
            *ignore.expired(workspace.settings.ignore, now.date()),
        ],
    )
    return _asked(local, workspace) if local.token_set else local


def _baseline(workspace: Workspace) -> bool | ReconcilerError:
    try:
        return workspace.baseline is not None
    except ReconcilerError as error:
        return error


def _object_types(workspace: Workspace, loaded: Spec | None) -> list[str]:
    declared = [
        resource.object_type
        for kind in (property_groups, properties)
        for resource in (loaded.desired.of_kind(kind.NAME) if loaded else ())
    ]
    return sorted({*workspace.settings.watch, *declared})


def _pairs(loaded: Spec | None) -> list[tuple[str, str]]:
    labels = loaded.desired.of_kind(association_labels.NAME) if loaded else ()
    return sorted({(names[1], names[2]) for names in (split(label.address) for label in labels)})


def _unbaselined(workspace: Workspace, types: Sequence[str], pairs: Sequence[tuple[str, str]]) -> list[str]:
    """The lists of what is watched or declared that a baseline should hold and does not."""
    if workspace.baseline is None:
        return []
    wanted = {f"{kind.NAME}/{join(one)}" for kind in (property_groups, properties) for one in types}
    wanted |= {f"{association_labels.NAME}/{join(*pair)}" for pair in pairs}
    if {*types} & {*lifecycle_stages.OBJECTS}:
        wanted |= {f"{lifecycle_stages.NAME}/{one}" for one in lifecycle_stages.OBJECTS}
    return sorted(wanted - workspace.baseline.collections)


def _asked(local: Facts, workspace: Workspace) -> Facts:
    """What the portal says of itself, of the token, of its limits and of the budget."""
    try:
        client = workspace.connect()
        reader = client.reader()
        account = reader.get(workspace.api.account())
        if not account.ok:
            said = "it lacks the scope `oauth`" if account.status == 403 else f"status {account.status}"
            return replace(local, trouble=f"the portal does not tell who it is: {said}", headers=client.told)
        limits = reader.get(workspace.api.limits("custom-properties"))
        return replace(
            _knowing_objects(local, workspace, reader),
            account=account.body,
            scopes=scopes_of(reader, workspace.token),
            limits=_mapping(limits.body) if limits.ok else None,
            headers=client.told,
        )
    except ReconcilerError as error:
        return replace(local, trouble=str(error), trouble_code=error.code)


def _knowing_objects(local: Facts, workspace: Workspace, reader: "Reader") -> Facts:
    """What the settings and the specs name, once it is known which custom objects there are; most name none."""
    api = workspace.api
    if not any(map(object_types.is_custom, workspace.settings.watch)):
        return local
    reads = Reads({api.schemas(): reader.get(api.schemas())})
    if not reads.ok(api.schemas()):
        return local
    types = [name for name in local.object_types if object_types.segment(name, api, reads)]
    found = replace(local, object_types=types, upkeep=[*local.upkeep, *upkeep.unseen(workspace, reads)])
    if not isinstance(local.baseline, bool):
        return found
    lacking = _unbaselined(workspace, types, local.pairs)
    return replace(found, unbaselined=lacking, begin=beginning(workspace, lacking))


def _mapping(body: Json) -> Mapping[str, Json] | None:
    return body if isinstance(body, Mapping) else None
