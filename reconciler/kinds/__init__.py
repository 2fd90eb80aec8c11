"""The kinds of definition that specs declare, and what each of them has to offer.

A kind is one module of this package that fits the ``Kind`` protocol. To add one, write the module and put it into
``KINDS``; schema, validation, plan, apply, drift, import and every renderer pick it up from there.

``KINDS`` is the apply order, deletes run backwards::

    property groups  <-  properties  <-  (formula properties)
    lifecycle stages
    association labels
"""

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from reconciler.address import split
from reconciler.diff import Difference
from reconciler.memo import kept_with_first
from reconciler.model import Answer, Finding, Json, Reads, Resource, Snapshot, Source, Tombstone
from reconciler.paths import Api

if TYPE_CHECKING:
    from reconciler.diff import Field
    from reconciler.plan import Change

Risk = Literal["safe", "caution", "destructive", "irreversible"]


class Scope:
    """What a run has to look at: what is watched, declared, to be removed, and known from before.

    ``pairs`` of object types to read labels of come beside those that are named. A scope is equal to itself only, so
    what was worked out from it can be kept with it.
    """

    __slots__ = ("__weakref__", "api", "baseline", "desired", "pairs", "removed", "watch")

    def __init__(
        self,
        api: Api = Api(),  # noqa: B008  # a value
        watch: tuple[str, ...] = (),
        pairs: tuple[tuple[str, str], ...] = (),
        desired: Snapshot = Snapshot(),  # noqa: B008
        removed: Mapping[str, Tombstone] = MappingProxyType({}),
        baseline: Snapshot = Snapshot(),  # noqa: B008
    ) -> None:
        self.api = api
        self.watch = watch
        self.pairs = pairs
        self.desired = desired
        self.removed = removed
        self.baseline = baseline

    def replaced(
        self,
        watch: tuple[str, ...] | None = None,
        pairs: tuple[tuple[str, str], ...] | None = None,
        desired: Snapshot | None = None,
        removed: Mapping[str, Tombstone] | None = None,
        baseline: Snapshot | None = None,
    ) -> "Scope":
        """This scope with other values instead of some of its own."""
        return Scope(
            self.api,
            self.watch if watch is None else watch,
            self.pairs if pairs is None else pairs,
            self.desired if desired is None else desired,
            self.removed if removed is None else removed,
            self.baseline if baseline is None else baseline,
        )

    def object_types(self, kind: str) -> tuple[str, ...]:
        """The object types whose definitions of a kind matter: watched, declared or to be removed."""
        return _object_types(self, kind)

    def removed_paths(self, kind: str) -> list[tuple[str, ...]]:
        """The names behind the tombstones of a kind."""
        return [parts for parts in map(split, self.removed) if parts[0] == kind]


@kept_with_first
def _object_types(scope: Scope, kind: str) -> tuple[str, ...]:
    heads = {resource.address.rpartition("/")[0] for resource in scope.desired.of_kind(kind)}
    declared = {split(head)[1] for head in heads}
    removed = {parts[1] for parts in scope.removed_paths(kind)}
    return tuple(sorted({*scope.watch, *declared, *removed}))


class Listing(NamedTuple):
    """A list that a run needs, and the collection it belongs to.

    A refinement may be refused without harm; what lies ``beside`` the list, only be missing in a recorded read. One
    that ``leads`` to it tells whether the portal has such an object type, and by which id.
    """

    collection: str
    path: str
    refines: bool = False
    beside: bool = False
    leads: bool = False


class Settled(NamedTuple):
    """What a declared resource should look like afterwards, or why that cannot be."""

    planned: Resource | None = None
    archived: Resource | None = None  # what lies archived under the name: creating it restores
    findings: tuple[Finding, ...] = ()


class Request(NamedTuple):
    """One request to HubSpot as data; ``creates`` marks a POST that must not be sent twice."""

    method: str
    path: str
    body: Json = None
    creates: bool = False


class Count(NamedTuple):
    """A search for the records that hold what a change would destroy."""

    address: str
    object_type: str  # path segment
    filter: Mapping[str, Json]


Write = Generator[Request, Answer, None]  # requests go out, answers come in; no I/O inside


class Locate(Protocol):
    """Says where in a spec file an entry stands."""

    def __call__(self, *path: str | int) -> Source: ...


class Kind(Protocol):
    """What a module of this package offers to the engine."""

    @property
    def NAME(self) -> str: ...  # section in the specs and first segment of addresses
    @property
    def SCHEMA(self) -> Mapping[str, Json]: ...  # JSON Schema of the section
    @property
    def PLANNED(self) -> Mapping[str, Json]: ...  # what fields of a plan may hold: by `how path`, as patternProperties
    @property
    def REMOTE(self) -> Mapping[str, Json]: ...  # JSON Schema of what ``remote`` gives

    def parse(self, section: Json, locate: Locate) -> Iterator[Resource]:
        """The desired resources of a section that the schema accepts."""
        ...

    def check(self, resource: Resource) -> Iterator[Finding]:
        """What HubSpot would refuse later, found offline."""
        ...

    def listings(self, scope: Scope, reads: Reads) -> Iterator[Listing]:
        """The lists that this kind needs now; asked again with the answers until nothing is new."""
        ...

    def observe(self, scope: Scope, reads: Reads) -> Iterator[Resource]:
        """The live resources in what was read."""
        ...

    def settle(self, desired: Resource, observed: Resource | None, scope: Scope, reads: Reads) -> Settled:
        """What a declared resource should look like after an apply; its collection was read."""
        ...

    def remove(self, tombstone: Tombstone, observed: Resource, scope: Scope) -> Settled:
        """What is left of a live resource after a tombstone; nothing planned and no finding: all of it goes."""
        ...

    def depends_on(self, resource: Resource) -> Sequence[str]:
        """Addresses that have to be there first, where a plan creates them."""
        ...

    def value_at(self, resource: Resource, field: "Field") -> tuple[bool, Json]:
        """Whether a resource has a value at the path of a plan's field, and which, in the plan's form."""
        ...

    def same(self, field: str, one: Json, other: Json) -> bool:
        """Whether two values of a field mean the same to HubSpot."""
        ...

    def fields(self, difference: Difference) -> "Sequence[Field]":
        """The field changes as a plan holds them, complete enough to be carried out from the plan alone."""
        ...

    def destroys(self, difference: Difference) -> Sequence[str]:
        """The addresses that ``--allow`` has to name."""
        ...

    def risk(self, difference: Difference) -> Risk:
        """How bad a change could be."""
        ...

    def remote(self, resource: Resource) -> Mapping[str, Json]:
        """The ids that writes need and that the address does not tell."""
        ...

    def write(self, change: "Change", api: Api) -> Write:
        """Carries out one change: yields requests, is sent the answers."""
        ...

    def counts(self, change: "Change") -> Iterator[Count]:
        """How to count the records that hold what a change would destroy."""
        ...

    def write_scopes(self, change: "Change") -> Sequence[str]:
        """Scopes of which a token needs one to carry out a change."""
        ...

    def rows(self, resource: Resource) -> Mapping[str, Json]:
        """A live resource as a spec entry with the fewest fields, for import and adopt."""
        ...


@cache
def kinds() -> Sequence[Kind]:
    """Every kind, in apply order."""
    from reconciler.kinds import association_labels, lifecycle_stages, properties, property_groups

    return (property_groups, properties, lifecycle_stages, association_labels)


def kind_of(address: str) -> Kind:
    """The kind that an address belongs to."""
    return _by_section()[address.partition("/")[0]]


@cache
def _by_section() -> Mapping[str, Kind]:
    return {kind.NAME: kind for kind in kinds()}


def named(syntax: re.Pattern[str], message: str) -> Json:
    """The condition that an editor checks the names of entries by; ``check`` refuses them in words of its own."""
    return {"propertyNames": {"pattern": f"^{syntax.pattern}$", "patternErrorMessage": message}}


def refusal(rule: str, resource: Resource, message: str, fix: str, below: str = "") -> Finding:
    """An error about a declared resource, or a part ``below`` it, that HubSpot, or we, will not carry out."""
    address = f"{resource.address}/{below}" if below else resource.address
    return Finding(rule, "error", message, fix, address, resource.source)


def same_words(one: Json, other: Json) -> bool:
    """Whether two texts differ in nothing but blanks, which come and go in HubSpot (real-drift.md 6)."""
    return bool((one or "").split() == (other or "").split())
