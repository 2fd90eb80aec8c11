"""The portal's state: plain JSON in memory, with an optional file behind it."""

import glob
import json
import os
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reconciler.emulator.errors import ApiError, unable_to_infer

Clock = Callable[[], float]
to_json = json.JSONEncoder(separators=(",", ":")).encode

STANDARD_TYPES: Mapping[str, tuple[str, str]] = {  # type id -> (plural, singular), hubspot-api.md J
    "0-1": ("contacts", "contact"),
    "0-2": ("companies", "company"),
    "0-3": ("deals", "deal"),
    "0-5": ("tickets", "ticket"),
    "0-7": ("products", "product"),
    "0-8": ("line_items", "line_item"),
    "0-14": ("quotes", "quote"),
    "0-18": ("communications", "communication"),
    "0-19": ("feedback_submissions", "feedback_submission"),
    "0-27": ("tasks", "task"),
    "0-35": ("campaigns", "campaign"),
    "0-46": ("notes", "note"),
    "0-47": ("meetings", "meeting"),
    "0-48": ("calls", "call"),
    "0-49": ("emails", "email"),
    "0-53": ("invoices", "invoice"),
    "0-54": ("marketing_events", "marketing_event"),
    "0-69": ("subscriptions", "subscription"),
    "0-74": ("goals", "goal"),
    "0-84": ("discounts", "discount"),
    "0-85": ("fees", "fee"),
    "0-86": ("taxes", "tax"),
    "0-101": ("commerce_payments", "commerce_payment"),
    "0-115": ("users", "user"),
    "0-116": ("postal_mail", "postal_mail"),
    "0-123": ("orders", "order"),
    "0-136": ("leads", "lead"),
    "0-142": ("carts", "cart"),
    "0-162": ("services", "service"),
    "0-410": ("courses", "course"),
    "0-420": ("listings", "listing"),
    "0-421": ("appointments", "appointment"),
    "0-970": ("projects", "project"),
}

STANDARD_NAMES = {name: type_id for type_id, names in STANDARD_TYPES.items() for name in names}

SWITCHES: Mapping[str, Any] = {
    "lifecycleMirror": "both",
    "lifecycleStageIds": True,
    "archivedNameCreate": "restore",
    "readOnlyOptionsPatch": "refuse",
    "readOnlyLayoutPatch": True,
    "typeChange": "accept",
    "upperCaseNames": "refuse",
    "longestText": 0,
    "noChangePatchMoves": False,
    "defaultEditMoves": False,
    "groupCreateExisting": 409,
    "defaultGroups": "free",
    "defaultStageDelete": True,
    "batchLimit": 100,
    "retryAfter": False,
    "labelNameAfterReads": 0,
    "labelNameAfterSeconds": 0,
    "labelLimit": 50,
    "selfLabelIds": 2,
    "lateGroups": False,
    "schemaCreateExisting": 409,
    "schemaLagReads": 0,
    "limitsPerObject": True,
    "limitsLagSeconds": 0,
    "staleReads": 0,
    "searchLag": 0,
    "rateLimit": 0,
    "dailyLimit": 0,
    "searchRateLimit": 0,
    "numberDisplayHint": False,
    "sensitiveData": False,
    "propertyLimit": 1000,
    "auditLog": False,
}


POSITIONS: Mapping[str, Sequence[Any]] = {
    "lifecycleMirror": ("both", "contacts_to_companies", "none"),
    "archivedNameCreate": ("restore", "fresh"),
    "readOnlyOptionsPatch": ("refuse", "ignore"),
    "typeChange": ("accept", "refuse"),
    "upperCaseNames": ("refuse", "lower"),
    "groupCreateExisting": (409, 400),
    "defaultGroups": ("free", "locked"),
    "selfLabelIds": (1, 2),
    "schemaCreateExisting": (409, 201),
}


def may_be(name: str, value: Any) -> bool:
    """Whether a switch has this position."""
    if name in POSITIONS:
        return value in POSITIONS[name] and not isinstance(value, bool)
    if isinstance(SWITCHES[name], bool):
        return isinstance(value, bool)
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


def positions(name: str) -> str:
    """What a switch can be set to, in words."""
    if name in POSITIONS:
        return " or ".join(json.dumps(one) for one in POSITIONS[name])
    return "true or false" if isinstance(SWITCHES[name], bool) else "a number"


class SeedError(Exception):
    """A seed that is no file, or no file that a portal could be made from."""


class NotKeptError(ApiError):
    """The file of the portal cannot be written or read: nothing is done, and a client that waits does not help."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(400, f"the emulated portal in {path} cannot be kept: {reason}")


STATE_PARTS: Mapping[str, type] = {"portalId": int, "objects": dict, "pipelines": dict, "switches": dict}
KINDS: Mapping[type, str] = {dict: "mapping", list: "list", int: "number"}


def saved_state(file: Path) -> dict[str, Any]:
    """The state in a file, or what keeps it from being one."""
    try:
        state = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise SeedError(f"it cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise SeedError("it is not JSON") from error
    return whole_state(state)


def whole_state(state: Any) -> dict[str, Any]:
    """A state with all that a portal needs; parts that it does not have are those of an empty one."""
    if not isinstance(state, dict):
        raise SeedError("it is no mapping")
    if missing := [key for key, kind in STATE_PARTS.items() if not isinstance(state.get(key), kind)]:
        raise SeedError(f"it lacks {', '.join(missing)}")
    whole = filled(state, empty_state(), "it")
    for type_id, definitions in whole["objects"].items():
        whole["objects"][type_id] = filled(definitions, empty_object(type_id), f"objects/{type_id}")
    return whole


def filled(part: Any, empty: Mapping[str, Any], where: str) -> dict[str, Any]:
    """A part of a state over an empty one of its kind."""
    if not isinstance(part, dict):
        raise SeedError(f"{where} is no mapping")
    for key, value in empty.items():
        kind = next((kind for kind in KINDS if isinstance(value, kind)), str)
        if not isinstance(part.get(key, value), kind):
            raise SeedError(f"{key} of {where} is no {KINDS.get(kind, 'text')}")
    return {**empty, **part}


def empty_state(portal_id: int = 12345678) -> dict[str, Any]:
    """A portal before it was seeded."""
    return {
        "portalId": portal_id,
        "account": {},
        "tokens": {},
        "users": {},
        "switches": dict(SWITCHES),
        "objects": {type_id: empty_object(names[0]) for type_id, names in STANDARD_TYPES.items()},
        "pipelines": {},
        "labels": [],
        "schemas": {},
        "records": {},
        "audit": [],
        "faults": [],
        "stale": {},
        "nextId": 100000000,
        "lastMillis": 0,
    }


def empty_object(name: str) -> dict[str, Any]:
    """An object type without definitions."""
    return {"name": name, "properties": {}, "groups": {}, "archivedProperties": {}, "everNonUnique": []}


Mark = tuple[int, int, int]


def mark_of(file: Path) -> Mark | None:
    """What differs after each write of a file; none when it is not there."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keeps all other processes from writing a state file, by a lock on its directory that dies with its holder."""
    import fcntl

    try:
        with suppress(FileExistsError):
            path.parent.mkdir(parents=True)
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise NotKeptError(path, str(error.strerror)) from error
    try:
        with suppress(OSError):  # some network file systems have no locks
            fcntl.flock(directory, fcntl.LOCK_EX)
            for left in path.parent.glob(f"{glob.escape(path.name)}.*.tmp"):
                left.unlink()  # of a writer that was killed
        yield
    finally:
        os.close(directory)


class Portal:
    """One HubSpot account: its state, its clock, the file it lives in, and the log of requests."""

    def __init__(self, state: dict[str, Any], *, path: Path | None = None, clock: Clock | None = None) -> None:
        self.state = state
        state["switches"] = {**SWITCHES, **state["switches"]}
        self.path = path
        self.log: list[dict[str, Any]] = []
        self.lock = threading.RLock()
        self.encoded: dict[str, bytes] = {}
        self.windows: dict[str, deque[float]] = {}
        self.requests: Counter[str] = Counter()  # by day
        self._clock = clock or time.time
        self._touched: set[str] = set()
        self._texts: defaultdict[str, dict[str, str]] = defaultdict(dict)  # the properties of a type as JSON, by name
        self._shown: Counter[str] = Counter()  # how often this process was shown each stale list
        self._mark: Mark | None = None  # of the file as this process last read or wrote it
        self._seed: str | Path = "default"
        self._turns = 0

    @classmethod
    def seeded(cls, seed: str | Path = "default", clock: Clock | None = None) -> "Portal":
        """A new portal in memory: ``default``, ``older``, ``empty``, or a file to start from."""
        from reconciler.emulator.seed import seeded_state

        return cls(seeded_state(seed), clock=clock)

    @classmethod
    def open(cls, path: str | Path, seed: str | Path = "default", clock: Clock | None = None) -> "Portal":
        """The portal that lives in a file, which is made from a seed when it is not there."""
        file = Path(path)
        mark = mark_of(file)
        portal = cls(saved_state(file), clock=clock) if mark else cls.seeded(seed, clock)
        portal.path, portal._mark, portal._seed = file, mark, seed
        return portal

    @contextmanager
    def turn(self, *, writing: bool) -> Iterator[None]:
        """One call at a time, and one write among all processes that share the file; each goes on from the last."""
        with self.lock:
            if self._turns:
                yield
                return
            self._touched.clear()
            with alone(self.path) if writing and self.path else nullcontext():
                if self.path:
                    self._catch_up(self.path)
                self._turns += 1
                try:
                    yield
                finally:
                    self._turns -= 1

    def _catch_up(self, path: Path) -> None:
        """Takes over what another process wrote."""
        mark = mark_of(path)
        if mark in (None, self._mark):
            return
        try:
            self.replace(saved_state(path))
        except SeedError as error:
            raise NotKeptError(path, str(error)) from error
        self._mark = mark

    def replace(self, state: Mapping[str, Any]) -> None:
        """Becomes another portal."""
        self.state.clear()
        self.state.update(state)
        self.state["switches"] = {**SWITCHES, **state["switches"]}
        for cache in (self.encoded, self._texts, self._shown, self._touched):
            cache.clear()

    @property
    def portal_id(self) -> int:
        """The number of the account."""
        return int(self.state["portalId"])

    @property
    def switches(self) -> dict[str, Any]:
        """How disputed behaviours are played."""
        switches: dict[str, Any] = self.state["switches"]
        return switches

    def object_type(self, segment: str) -> str:
        """The type id that a path segment names: id, singular, plural or qualified name, in any case."""
        wanted = segment.lower()
        standard = STANDARD_NAMES.get(wanted, wanted)
        if standard in STANDARD_TYPES and standard in self.state["objects"]:
            return standard
        for type_id, definitions in self.state["objects"].items():
            schema = self.state["schemas"].get(type_id, {})
            qualified = schema.get("fullyQualifiedName", f"p{self.portal_id}_{definitions['name']}")
            if type_id.startswith("2-") and wanted in (type_id, qualified.lower()):
                return str(type_id)
        raise unable_to_infer(segment)

    def definitions(self, type_id: str) -> dict[str, Any]:
        """Properties and groups of an object type, live ones and archived ones."""
        found: dict[str, Any] = self.state["objects"][type_id]
        return found

    def object_name(self, type_id: str) -> str:
        """The plural name of an object type, as scopes and limits call it."""
        return str(self.definitions(type_id)["name"])

    def now(self) -> str:
        """The time of day in HubSpot's notation; two calls never give the same."""
        millis = max(int(self._clock() * 1000), self.state["lastMillis"] + 1)
        self.state["lastMillis"] = millis
        return datetime.fromtimestamp(millis / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def seconds(self) -> float:
        """The clock itself, for windows and delays."""
        return self._clock()

    def next_id(self) -> int:
        """A number that this portal never gave before."""
        self.state["nextId"] += 1
        return int(self.state["nextId"])

    def add_records(self, type_id: str, records: Sequence[Mapping[str, Any]]) -> list[str]:
        """Adds records with property values, and answers with their ids; an id that is there is overwritten."""
        held = self.state["records"].setdefault(type_id, {})
        ids = [str(record.get("id") or self.next_id()) for record in records]
        for record_id, record in zip(ids, records, strict=True):
            now = self.now()
            times = {"createdAt": now, "updatedAt": now, "archived": False}
            held[record_id] = {"id": record_id, "properties": dict(record["properties"]), **times}
        return ids

    def touch(self, type_id: str, *names: str) -> None:
        """Says that a write changed this object type only, or only these properties; else nothing stays encoded."""
        self._touched.add(type_id)
        texts = self._texts[type_id]
        for name in names or [*texts]:
            texts.pop(name, None)

    def listed(self, key: str, make: Callable[[], Any]) -> bytes:
        """A list answer, encoded once until a write outdates it; ``key`` starts with the type id and a blank."""
        stale = self.state["stale"].get(key)
        if stale is not None and self._shown[key] < self.switches["staleReads"]:
            self._shown[key] += 1
            return str(stale).encode("utf-8", "backslashreplace")
        if key not in self.encoded:
            self.encoded[key] = json.dumps(make(), separators=(",", ":"), ensure_ascii=False).encode(
                "utf-8", "backslashreplace"
            )
        return self.encoded[key]

    def begin(self) -> None:
        """Writes the state file before the first request, so that one that cannot be written is known at once."""
        with self.turn(writing=True):
            self.save()

    def refused(self) -> None:
        """Ends a write that changed nothing."""
        self._touched = set()

    def written(self) -> None:
        """Ends a write, by whomever it was: drops outdated copies and keeps the state file."""
        touched = self._touched or {*self.state["objects"]}
        for key in [key for key in self.encoded if key.partition(" ")[0] in touched]:
            old = self.encoded.pop(key)
            if self.switches["staleReads"]:
                self.state["stale"][key] = old.decode("utf-8")
                self._shown[key] = 0
        if not self._touched:
            self._texts.clear()
        self._touched = set()
        try:
            self.save()
        except NotKeptError:
            self._undo()
            raise

    def _undo(self) -> None:
        """Goes back to what the file holds, or to the seed where there is none yet."""
        from reconciler.emulator.seed import seeded_state

        there = self.path is not None and mark_of(self.path) is not None
        self.replace(saved_state(self.path) if there and self.path else seeded_state(self._seed))

    def save(self) -> None:
        """Writes the state file, whole or not at all."""
        if self.path is None:
            return
        scratch = self.path.with_name(f"{self.path.name}.{os.getpid()}.tmp")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with scratch.open("w", encoding="utf-8") as stream:
                stream.write(self._text())
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(scratch, self.path)
        except OSError as error:
            with suppress(OSError):
                scratch.unlink(missing_ok=True)
            raise NotKeptError(self.path, str(error.strerror)) from error
        self._mark = mark_of(self.path)

    def _text(self) -> str:
        """The state as JSON."""
        objects = ",\n".join(f'"{type_id}":{self._object_text(type_id)}' for type_id in self.state["objects"])
        rest = to_json({key: value for key, value in self.state.items() if key != "objects"})
        return f'{rest[:-1]},\n"objects":{{\n{objects}\n}}}}\n'

    def _object_text(self, type_id: str) -> str:
        """An object type as JSON; properties that no write touched are encoded once."""
        definitions, texts = self.definitions(type_id), self._texts[type_id]
        for name, one in definitions["properties"].items():
            if name not in texts:
                texts[name] = f"{to_json(name)}:{to_json(one)}"
        properties = ",\n".join([texts[name] for name in definitions["properties"]])
        rest = to_json({key: value for key, value in definitions.items() if key != "properties"})
        return f'{rest[:-1]},"properties":{{\n{properties}\n}}}}'
