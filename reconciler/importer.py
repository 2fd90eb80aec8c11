"""Import: from a live portal to tidy spec files that validate accepts and that plan finds nothing to do about."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from types import MappingProxyType

from reconciler import variables, yaml_writer
from reconciler.address import join, split
from reconciler.kinds import association_labels, kind_of, lifecycle_stages, properties, property_groups
from reconciler.model import Finding, Json, Resource, Snapshot
from reconciler.schema import depth

MARK = "# Written by `reconciler import`; edit freely, it is then never overwritten. "
MODELINE = "# yaml-language-server: $schema=schema.json\n"


@dataclass(frozen=True, slots=True)
class Choice:
    """What of a portal is wanted."""

    kinds: tuple[str, ...] = ()
    object_types: tuple[str, ...] = ()
    group: str = ""
    name: str = ""
    include_defaults: bool = False

    def takes(self, resource: Resource) -> bool:
        """Whether a live definition is wanted, and is a portal's to declare."""
        return self.covers(resource) and self._ownable(resource)

    def covers(self, resource: Resource) -> bool:
        """Whether a definition, live or declared, is what was asked for."""
        if self.kinds and resource.kind not in self.kinds:
            return False
        if self.name and not fnmatchcase(resource.name, self.name):
            return False
        scopes = lifecycle_stages.OBJECTS if resource.kind == lifecycle_stages.NAME else (resource.object_type,)
        if self.object_types and not {*scopes} & {*self.object_types}:
            return False
        return not self.group or self._in_group(resource)

    def _in_group(self, resource: Resource) -> bool:
        if resource.kind == property_groups.NAME:
            return resource.name == self.group
        return resource.kind == properties.NAME and resource.attributes.get("groupName") == self.group

    def _ownable(self, resource: Resource) -> bool:
        match resource.kind:
            case property_groups.NAME:
                return resource.name not in property_groups.DEFAULT_GROUPS
            case properties.NAME if properties.vendor_owned(resource.facts):
                return self.include_defaults and bool(properties.rows(resource))
            case properties.NAME:
                return bool(properties.rows(resource).get("type")) or self.include_defaults
            case _:
                return True


def file_name(resource: Resource) -> str:
    """The spec file that a definition goes into: one an object type, one for stages, one for labels."""
    match resource.kind:
        case association_labels.NAME:
            return "associations.yaml"
        case lifecycle_stages.NAME:
            return "lifecycle.yaml"
        case _:
            return "".join(sign if sign.isalnum() or sign in "_-" else "_" for sign in resource.object_type) + ".yaml"


def chosen(snapshot: Snapshot, choice: Choice, declared: Iterable[str]) -> list[Resource]:
    """The definitions to write: wanted, and in no spec yet."""
    known = set(declared)
    return [one for address, one in sorted(snapshot.items()) if address not in known and choice.takes(one)]


def sections(resources: Iterable[Resource], kept: Mapping[str, Json] = MappingProxyType({})) -> dict[str, Json]:
    """The content of a spec file with these definitions; some of them keep the entry that they have."""
    content: dict[str, Json] = {}
    for resource in resources:
        kind = kind_of(resource.address)
        row = kept.get(resource.address) or variables.escaped(kind.rows(resource))
        if resource.kind == lifecycle_stages.NAME:
            content.setdefault(kind.NAME, []).append(row)
        else:
            place = content.setdefault(kind.NAME, {})
            *scope, name = split(resource.address)[1:]
            for segment in scope:
                place = place.setdefault(segment, {})
            place[name] = row
    order = [property_groups.NAME, properties.NAME, lifecycle_stages.NAME, association_labels.NAME]
    return {name: content[name] for name in order if name in content}


def entries(content: Mapping[str, Json]) -> dict[str, Json]:
    """The entries of a spec file that import wrote, by address: what ``sections`` puts together, taken apart."""
    found: dict[str, Json] = {}
    for section, value in content.items():
        if isinstance(value, list):
            found.update((join(section, row["name"]), row) for row in value)
        else:
            found.update(_below((section,), value, depth(kind_of(section).SCHEMA)))
    return found


def _below(names: tuple[str, ...], value: Mapping[str, Json], levels: int) -> Iterator[tuple[str, Json]]:
    for name, inner in value.items():
        if levels == 1:
            yield join(*names, name), inner
        else:
            yield from _below((*names, name), inner, levels - 1)


def ordered(resources: Iterable[Resource]) -> list[Resource]:
    """Stages in their order, everything else by address, groups before what is in them."""
    return sorted(resources, key=_rank)


def _rank(resource: Resource) -> tuple[str, int, int, str]:
    if resource.kind == lifecycle_stages.NAME:
        positions = [side["position"] for side in resource.attributes.values() if isinstance(side, Mapping)]
        return (file_name(resource), 0, min(positions, default=0), resource.address)
    return (file_name(resource), 1, 0, resource.address)


def text_of(content: Mapping[str, Json]) -> str:
    """A spec file, with a mark that tells whether somebody has edited it since."""
    body = yaml_writer.dump(content)
    return MODELINE + MARK + _digest(body) + "\n" + body


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def unedited(path: Path) -> bool:
    """Whether a file is as import wrote it."""
    if not path.is_file():
        return False
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    marks = [index for index, line in enumerate(lines[:3]) if line.startswith(MARK)]
    return bool(marks) and lines[marks[0]].removeprefix(MARK).strip() == _digest("".join(lines[marks[0] + 1 :]))


def target(directory: Path, name: str) -> Path:
    """Where to write: the plain name, unless somebody else's file has it."""
    stem = name.removesuffix(".yaml")
    for candidate in _names(stem):
        path = directory / candidate
        if not path.exists() or unedited(path):
            return path
    raise AssertionError("names do not run out")


def _names(stem: str) -> Iterator[str]:
    yield f"{stem}.yaml"
    yield f"{stem}.imported.yaml"
    number = 2
    while True:
        yield f"{stem}.imported-{number}.yaml"
        number += 1


def odd(resource: Resource, problems: Sequence[Finding]) -> Finding:
    """A real definition that the specs cannot say: baselined, not declared."""
    why = "; ".join(dict.fromkeys(problem.message for problem in problems))
    message = f"it is live, but the specs cannot say it: {why}"
    return Finding("not-importable", "warning", message, "it is watched by drift all the same", resource.address)
