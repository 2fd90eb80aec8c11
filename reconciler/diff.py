"""Compares two snapshots, and knows nothing about what either of them is."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

from reconciler import address as addresses
from reconciler.model import Json, Resource, Snapshot

How = Literal["added", "changed", "removed"]

if TYPE_CHECKING:
    from typing import Protocol, Self

    class Field(Protocol):
        """A change of one attribute, whatever else is known of it."""

        @property
        def path(self) -> str: ...
        @property
        def before(self) -> Json: ...
        @property
        def after(self) -> Json: ...
        @property
        def how(self) -> How: ...
        def _replace(self, *, path: str) -> Self: ...


class FieldChange(NamedTuple):
    """One attribute that differs; a side that lacks it has no value, which is not the same as null."""

    path: str
    before: Json = None
    after: Json = None
    how: How = "changed"


def sides(field: "Field") -> dict[str, Json]:
    """A change as documents hold it: an absent side is an absent key."""
    told: dict[str, Json] = {"path": field.path}
    if field.how != "added":
        told["before"] = field.before
    if field.how != "removed":
        told["after"] = field.after
    return told


class Difference(NamedTuple):
    """One address that is not the same on both sides."""

    address: str
    before: Resource | None
    after: Resource | None
    fields: tuple[FieldChange, ...]


def compare(before: Snapshot, after: Snapshot) -> tuple[Difference, ...]:
    """What has to happen to ``before`` to become ``after``, in address order."""
    found = [
        Difference(address, old, new, fields)
        for address, new in after.items()
        if (old := before.get(address)) is not new and ((fields := field_changes(old, new)) or old is None)
    ]
    found += [
        Difference(address, old, None, field_changes(old, None))
        for address, old in before.items()
        if address not in after
    ]
    return tuple(sorted(found, key=lambda difference: difference.address))


_IDENTITY = ("calculated", "modificationMetadata", "createdAt", "ids", "typeIds")


def alike(old: Resource, new: Resource) -> bool:
    """Whether nothing of a definition moved; mappings are equal in any order, so the order is looked at as well."""
    one, other = old.attributes, new.attributes
    if one != other or ("options" in one and list(one["options"]) != list(other["options"])):
        return False
    then, now = old.facts, new.facts
    return not any(then.get(name) != now.get(name) for name in _IDENTITY)


def all_alike(before: Snapshot, after: Snapshot) -> bool:
    """Whether two reads of a portal hold the same definitions, none of which moved or was so much as touched."""
    if before.keys() != after.keys():
        return False
    pairs = ((before[address], new) for address, new in after.items())
    return all(old.facts.get("updatedAt") == new.facts.get("updatedAt") and alike(old, new) for old, new in pairs)


def field_changes(old: Resource | None, new: Resource | None) -> tuple[FieldChange, ...]:
    """The attributes that differ between two resources, by path; of one alone, all that it has."""
    before = old.attributes if old else {}
    after = new.attributes if new else {}
    return tuple(sorted(_attribute_changes(before, after, ""), key=lambda change: change.path))


def _attribute_changes(before: Mapping[str, Json], after: Mapping[str, Json], prefix: str) -> Iterator[FieldChange]:
    for name in before.keys() | after.keys():
        path = prefix + addresses.encode(name)
        if name not in after:
            yield FieldChange(path, before=before[name], how="removed")
        elif name not in before:
            yield FieldChange(path, after=after[name], how="added")
        else:
            yield from _value_changes(before[name], after[name], path)


def _value_changes(old: Json, new: Json, path: str) -> Iterator[FieldChange]:
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        if old != new:
            yield FieldChange(path, old, new)
        return
    if old is new:
        return
    if old != new:
        yield from _attribute_changes(old, new, path + "/")
    yield from _order_change(old, new, path)


def _order_change(old: Mapping[str, Json], new: Mapping[str, Json], path: str) -> Iterator[FieldChange]:
    """Named things are mappings in display order, so their order is one fact, whatever was added or removed."""
    before, after = list(old), list(new)
    if before != after and [name for name in before if name in new] != [name for name in after if name in old]:
        yield FieldChange(path, before, after)


def document_differences(before: Json, after: Json) -> tuple[str, ...]:
    """Where two documents of any shape differ, as readable paths, for messages about tampered or stale files."""
    from deepdiff import DeepDiff  # imported when a message needs it: 100 ms that a plan does not spend

    groups = DeepDiff(before, after, threshold_to_diff_deeper=0, view="tree")  # 0: never gives up at the root
    paths = {tuple(map(str, item.path(output_format="list"))) for group in groups.values() for item in group}
    return tuple(sorted("/".join(path) for path in paths))
