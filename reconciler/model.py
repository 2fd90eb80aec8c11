"""The values that everything else reads: resources, snapshots of them, findings, and answers of HubSpot."""

from collections.abc import ItemsView, Iterable, Iterator, Mapping, ValuesView
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from reconciler import address as addresses

Json = Any  # a value that came from, or goes to, JSON or YAML
Severity = Literal["error", "warning", "info"]


class Source(NamedTuple):
    """Where in the specs something stands; lines and columns start at 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Resource(NamedTuple):
    """One definition on one side of a comparison.

    ``attributes`` are canonical: HubSpot's field names, lists of named things as mappings in display order, absent
    means not declared (desired) or not set (all other sides). Only they are compared.
    ``facts`` are what HubSpot says about it and nobody can declare: ids, flags, times, user ids; for a desired
    resource, what the spec says beside its fields (``meta``, ``exact``, ``id``).
    """

    kind: str
    address: str
    attributes: Mapping[str, Json]
    facts: Mapping[str, Json] = MappingProxyType({})
    source: Source | None = None

    @property
    def path(self) -> tuple[str, ...]:
        """The names behind the address: kind, scope, name."""
        return addresses.split(self.address)

    @property
    def name(self) -> str:
        """HubSpot's internal name, or ours where HubSpot has none."""
        return addresses.decode(self.address.rpartition("/")[2])

    @property
    def object_type(self) -> str:
        """The object type of a property or group, the first one of an association label."""
        return addresses.decode(self.address.split("/", 2)[1])


class Snapshot(Mapping[str, Resource]):
    """What one side looks like: resources by address. Desired, observed, planned and baseline are all one of these."""

    __slots__ = ("_resources",)

    def __init__(self, resources: Iterable[Resource] = ()) -> None:
        self._resources = {resource.address: resource for resource in resources}

    def __getitem__(self, address: str) -> Resource:
        return self._resources[address]

    def __iter__(self) -> Iterator[str]:
        return iter(self._resources)

    def __len__(self) -> int:
        return len(self._resources)

    def __contains__(self, address: object) -> bool:
        return address in self._resources

    def get(self, address: str, default: Resource | None = None) -> Resource | None:  # type: ignore[override]
        """The resource at an address, or something else."""
        return self._resources.get(address, default)

    def values(self) -> ValuesView[Resource]:
        """The resources."""
        return self._resources.values()

    def items(self) -> ItemsView[str, Resource]:
        """The resources with their addresses."""
        return self._resources.items()

    def of_kind(self, kind: str) -> Iterator[Resource]:
        """The resources of one kind."""
        return (resource for resource in self._resources.values() if resource.kind == kind)

    def replaced(self, changed: Iterable[Resource] = (), removed: Iterable[str] = ()) -> "Snapshot":
        """This snapshot with some resources put in or over, and some left out."""
        after = Snapshot()
        after._resources = dict(self._resources)
        after._resources.update((resource.address, resource) for resource in changed)
        for address in removed:
            after._resources.pop(address, None)
        return after


class Finding(NamedTuple):
    """Something a person should know: what is wrong, where, and the way out."""

    rule: str
    severity: Severity
    message: str
    fix: str = ""
    address: str = ""
    source: Source | None = None
    frame: str = ""

    def as_json(self) -> dict[str, Json]:
        """This finding as documents hold it."""
        place = self.source and {"file": self.source.file, "line": self.source.line, "column": self.source.column}
        parts = {
            "rule": self.rule,
            "severity": self.severity,
            "message": self.message,
            "fix": self.fix,
            "address": self.address,
            "source": place,
            "frame": self.frame,
        }
        return {key: value for key, value in parts.items() if value or key in ("rule", "severity", "message")}


class Tombstone(NamedTuple):
    """A line under ``removed:``, the only way anything is deleted."""

    address: str
    reason: str
    source: Source | None = None
    require_no_values: bool = False


NOT_READ = 0  # status of an answer that a recorded read does not hold
UNAVAILABLE = -1  # status of an answer that did not come, whatever was tried


class Answer(NamedTuple):
    """What HubSpot answered to one request; a status of ``NOT_READ`` or ``UNAVAILABLE`` stands for no answer."""

    status: int
    body: Json = None
    correlation_id: str = ""
    denied_scopes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the body can be believed."""
        return 200 <= self.status < 300

    @property
    def results(self) -> list[dict[str, Json]]:
        """The entries of a list answer; none for anything but a success."""
        return self.body["results"] if self.ok else []


class Reads(Mapping[str, Answer]):
    """What was read in a run, by request path; one value, so it is equal to itself only and can key a cache."""

    __slots__ = ("__weakref__", "_answers")

    def __init__(self, answers: Mapping[str, Answer] | None = None) -> None:
        self._answers = dict(answers or {})

    def __getitem__(self, path: str) -> Answer:
        return self._answers[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._answers)

    def __len__(self) -> int:
        return len(self._answers)

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__

    def results(self, path: str) -> list[dict[str, Json]]:
        """The entries of a list; none when it was not, or could not be, read."""
        answer = self._answers.get(path)
        return answer.results if answer else []

    def ok(self, path: str) -> bool:
        """Whether a list was read."""
        answer = self._answers.get(path)
        return answer is not None and answer.ok


ReadStatus = Literal["ok", "denied", "partial", "not_read", "unavailable"]


class Collection(NamedTuple):
    """One list of the portal, how much was read of it, and how many entries it held."""

    name: str
    status: ReadStatus
    size: int = 0
    detail: str = ""
    there: bool = True  # whether the portal has such a list at all
