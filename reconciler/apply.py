"""Carries out the changes of a plan: in waves, as few requests as HubSpot allows, every change with one outcome.

Groups come first, then properties (created in batches), stages and labels side by side, then formulas after what they
name; deletes come last and backwards. After each wave the touched lists are read once and compared with what was
wanted. After the first failure nothing destructive is begun; what does not depend on the failure goes on.
"""

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from typing import Literal, Protocol

from reconciler.errors import (
    AccessError,
    ReconcilerError,
    RequestRefused,
    StaleError,
    UnavailableError,
    UnknownOutcome,
    UsageError,
)
from reconciler.kinds import (
    Kind,
    Request,
    Scope,
    Write,
    association_labels,
    lifecycle_stages,
    properties,
    property_groups,
)
from reconciler.model import Answer, Json, Resource, Snapshot
from reconciler.observe import ListSource, Observation, observe, read
from reconciler.plan import Change, PlannedField

Word = Literal["satisfied", "done", "verified", "failed", "blocked", "skipped", "unknown"]
BATCH = 100  # hubspot-api.md A.10
AT_ONCE = 12  # so that a window is used up in its first seconds, and the next one begins with it
LOOKS = (0.0, 0.5, 1.0, 2.0)  # seconds before each look for a write; reads lag by up to 700 ms (hubspot-api.md A.12)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one change."""

    change: Change
    word: Word
    message: str = ""
    error: Mapping[str, Json] | None = None
    partly: bool = False  # some of its requests were carried out, and then it failed
    overwritten: bool = False  # it was carried out, and somebody else has written over it since


class Reader(ListSource, Protocol):
    """Reads the portal."""

    def get(self, path: str) -> Answer:
        """The answer to one path."""
        ...


class Writer(Protocol):
    """Writes to the portal; only an apply is handed one."""

    def send(self, method: str, path: str, body: Json = None) -> Answer:
        """The answer to one write; a refusal or an unknown outcome is raised."""
        ...


Record = Callable[[Mapping[str, Json]], None]


def _nothing(_: object) -> None:
    """What is done with records and progress that nobody asked for."""


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Tools:
    """What an apply works with."""

    reader: Reader
    writer: Writer
    scope: Scope
    record: Record = _nothing
    progress: Callable[[Outcome], None] = _nothing
    cancelled: Callable[[], bool] = _never
    wait: Callable[[float], None] = _nothing


@dataclass(frozen=True, slots=True)
class Task:
    """Changes that one thread carries out: a batch of creates, or one after the other."""

    changes: tuple[Change, ...]
    batch: bool = False


@dataclass(slots=True)
class Run:
    """An apply under way: the outcomes so far."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    seen: Snapshot = field(default_factory=Snapshot)  # what reading back has shown of the touched lists
    doubtful: bool = False  # HubSpot accepted something, and reading back did not show it

    @property
    def failed(self) -> bool:
        """Whether anything has gone wrong so far."""
        return self.doubtful or any(one.word in ("failed", "unknown") for one in list(self.outcomes.values()))

    def settle(self, outcome: Outcome) -> None:
        """Takes down what became of a change."""
        self.outcomes[outcome.change.address] = outcome


def carry_out(changes: Sequence[Change], tools: Tools) -> Run:
    """Every change that writes, in waves."""
    run = Run()
    for wave in waves(changes):
        todo = [kept for task in wave if (kept := _admitted(task, run, tools)).changes]
        _run_wave(todo, run, tools)
        _verify([change for task in todo for change in task.changes], run, tools)
    for outcome in run.outcomes.values():
        tools.progress(outcome)
    return run


def waves(changes: Sequence[Change]) -> list[list[Task]]:
    """The order of work: first what destroys nothing, so that a failure in it is known before anything is lost."""
    building = [change for change in changes if change.writes and change.action != "archive"]
    removing = [change for change in changes if change.action == "archive"]
    lossy = _lossy(building)
    safe = [change for change in building if change.address not in lossy]
    rest = [change for change in building if change.address in lossy]
    return [list(_tasks(step)) for part in (safe, rest, removing) for step in _steps(part)]


def _lossy(building: Sequence[Change]) -> set[str]:
    """Addresses of what destroys something, and of what has to wait for it."""
    found: set[str] = set()
    for step in _steps(building):
        found |= {one.address for one in step if one.destroys or not found.isdisjoint(one.depends_on)}
    return found


def _steps(changes: Sequence[Change]) -> Iterator[list[Change]]:
    """The changes in the order of what they need, those together that wait for nothing but the steps before."""
    left = {change.address: change for change in changes}
    needs = {change.address: [need for need in change.depends_on if need in left] for change in changes}
    order = TopologicalSorter(needs)
    with suppress(CycleError):  # the order goes as far as it can
        order.prepare()
    while ready := order.get_ready():
        yield [left.pop(address) for address in ready]
        order.done(*ready)
    if left:  # what needs itself, over however many corners: HubSpot is to say what it thinks of that
        yield list(left.values())


def _tasks(step: Sequence[Change]) -> Iterator[Task]:
    """Creates of properties in batches; stages one after the other, since their order is arithmetic; the rest alone,
    but for labels that hand a text on."""
    creates: dict[str, list[Change]] = {}
    serial: list[Change] = []
    labels: list[Change] = []
    for change in step:
        if change.kind.NAME == lifecycle_stages.NAME:
            serial.append(change)
        elif change.kind.NAME == association_labels.NAME:
            labels.append(change)
        elif change.kind.NAME == properties.NAME and change.action == "create":
            creates.setdefault(change.remote["objectType"], []).append(change)
        else:
            yield Task((change,))
    yield from (Task(tuple(together)) for together in association_labels.write_order(labels))
    if serial:
        yield Task(tuple(lifecycle_stages.write_order(serial)))
    for batch in creates.values():
        for start in range(0, len(batch), BATCH):
            part = tuple(batch[start : start + BATCH])
            yield Task(part, batch=len(part) > 1)


def _admitted(task: Task, run: Run, tools: Tools) -> Task:
    """The changes that may still be begun; the others get their outcome here."""
    return replace(task, changes=tuple(change for change in task.changes if not _held_back(change, run, tools)))


def _held_back(change: Change, run: Run, tools: Tools) -> bool:
    broken = [need for need in change.depends_on if need in run.outcomes and run.outcomes[need].word not in _GOOD]
    if tools.cancelled():
        run.settle(Outcome(change, "skipped", "the run was cancelled before this was begun"))
    elif broken:
        run.settle(Outcome(change, "blocked", f"needs {', '.join(broken)}, which did not succeed"))
    elif run.failed and change.destroys:
        run.settle(Outcome(change, "skipped", "nothing destructive is begun after a failure"))
    else:
        return False
    return True


_GOOD = frozenset({"satisfied", "done", "verified"})


def _run_wave(tasks: Sequence[Task], run: Run, tools: Tools) -> None:
    if len(tasks) == 1:
        _carry(tasks[0], run, tools)
    else:
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="apply") as pool:
            list(pool.map(lambda task: _carry(task, run, tools), tasks))


def _carry(task: Task, run: Run, tools: Tools) -> None:
    if task.batch:
        for outcome in _carry_batch(task.changes, tools):
            run.settle(outcome)
        return
    for change in task.changes:
        if not _held_back(change, run, tools):  # something may have failed, or somebody lost patience, meanwhile
            run.settle(_carry_one(change, tools))


def _carry_one(change: Change, tools: Tools) -> Outcome:
    attempt = Attempt((change,), tools)
    try:
        attempt.drive(change.kind.write(change, tools.scope.api))
    except Exception as error:  # one change that goes wrong, even by a bug of ours, must not hide what became of others
        return _broken_off(attempt, error, change)
    return Outcome(change, "done")


def _broken_off(attempt: "Attempt", error: Exception, change: Change) -> Outcome:
    """The outcome of a change that failed, perhaps after some of its requests."""
    outcome = _outcome_of(error, change)
    if not attempt.wrote:
        return outcome
    return replace(outcome, message=f"some of it was carried out, and then: {outcome.message}", partly=True)


def _outcome_of(error: Exception, change: Change) -> Outcome:
    if not isinstance(error, ReconcilerError):
        message = _bug(error)
        return Outcome(change, "failed", message, {"code": "internal", "message": message})
    word: Word = "unknown" if isinstance(error, UnknownOutcome) else "failed"
    return Outcome(change, word, str(error), error_details(error))


def _bug(error: Exception) -> str:
    """What went wrong, and where in the program it showed."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"internal error: {type(error).__name__}: {error} ({last.filename.rpartition('/')[2]}:{last.lineno})"


def error_details(error: ReconcilerError) -> dict[str, Json]:
    """What HubSpot said, as documents hold it."""
    details: dict[str, Json] = {
        "code": error.code,
        "message": str(error),
        "where": error.where,
        "hint": error.hint,
        "correlationId": error.correlation_id,
    }
    if isinstance(error, RequestRefused):
        details |= {"status": error.status, "category": error.category, "subCategory": error.sub_category}
    return details


@dataclass(slots=True)
class Attempt:
    """The requests that carry out some changes, and whether HubSpot took one that writes."""

    changes: Sequence[Change]
    tools: Tools
    wrote: bool = False

    def drive(self, write: Write) -> None:
        """Sends what a kind wants to send, and hands it the answers."""
        try:
            request = next(write)
            while True:
                try:
                    answer = self.sent(request)
                except RequestRefused as refused:
                    request = write.throw(refused)  # the kind may know another way
                else:
                    request = write.send(answer)
        except StopIteration:
            return

    def sent(self, request: Request) -> Answer:
        """The answer to one request; a write is in the receipt before it is sent, and its result after it.

        Where only the result cannot be written down, the write counts as what it is; the end of the receipt tells it.
        """
        if request.method == "GET":
            return _believable(self.tools.reader.get(request.path), request.path)
        addresses = [change.address for change in self.changes]
        self.tools.record({"event": "intent", "addresses": addresses, "method": request.method, "path": request.path})
        try:
            answer = self.tools.writer.send(request.method, request.path, request.body)
        except ReconcilerError as error:
            with suppress(UsageError):
                self.tools.record({"event": "result", "addresses": addresses, "error": error_details(error)})
            raise
        self.wrote = True
        with suppress(UsageError):
            self.tools.record({"event": "result", "addresses": addresses, "status": answer.status})
        return answer


def _believable(answer: Answer, path: str) -> Answer:
    if answer.ok or answer.status == 404:
        return answer
    if answer.status == 403:
        raise AccessError(f"may not read {path}", hint=f"needs one of {', '.join(answer.denied_scopes)}")
    said = answer.body.get("message", "") if isinstance(answer.body, Mapping) else answer.body
    raise UnavailableError(f"{path} could not be read: HubSpot answered {answer.status}: {said}")


def _carry_batch(changes: tuple[Change, ...], tools: Tools) -> list[Outcome]:
    """One POST for up to a hundred creates; a batch that is refused whole is tried one by one."""
    path = tools.scope.api.properties(changes[0].remote["objectType"], "batch", "create")
    body = {"inputs": [properties.create_body(change) for change in changes]}
    attempt = Attempt(changes, tools)
    try:
        answer = attempt.sent(Request("POST", path, body, creates=True))
    except RequestRefused as error:
        if error.status == 403:
            return [_outcome_of(error, change) for change in changes]
        return [_carry_one(change, tools) for change in changes]
    except Exception as error:  # as with one change
        return [_broken_off(attempt, error, change) for change in changes]
    return [_batch_outcome(change, answer) for change in changes]


def _batch_outcome(change: Change, answer: Answer) -> Outcome:
    """Whether a batch made this one: HubSpot answers with what it made and, beside it, what it did not."""
    if any(one.get("name") == change.name for one in _objects(answer.body, "results")):
        return Outcome(change, "done")
    for error in _objects(answer.body, "errors"):  # every part of it may be missing (hubspot-api.md F.3)
        said = str(error.get("message", "without a reason"))
        if change.name in _names(error) or f"'{change.name}'" in said:
            details = {"code": "blocked", "message": said, "category": error.get("category", "")}
            refused = {**details, "correlationId": answer.correlation_id}
            return Outcome(change, "failed", f"HubSpot refused it: {said}", refused)
    return Outcome(change, "unknown", "the answer to the batch does not speak of it")


def _objects(body: Json, key: str) -> list[Mapping[str, Json]]:
    """The objects in a list of an answer to a write: whatever else it holds, the write was taken."""
    listed = body.get(key) if isinstance(body, Mapping) else None
    return [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []


def _names(error: Mapping[str, Json]) -> list[Json]:
    context = error.get("context")
    named = context.get("name") if isinstance(context, Mapping) else None
    return named if isinstance(named, list) else [named]


# --- was it done? ----------------------------------------------------------------------------------------------------


def _verify(changes: Sequence[Change], run: Run, tools: Tools) -> None:
    """One read of each touched list; what was sent and is not there yet is looked for a little longer.

    A write whose outcome is unknown and whose effect is not there is sent once more.
    """
    open_ = [change for change in changes if _to_look_for(run.outcomes[change.address])]
    if not open_:
        return
    trouble = ""
    try:
        seen = _looked_for(open_, run, tools)
        unknown = [change for change in open_ if run.outcomes[change.address].word == "unknown"]
        again = [change for change in unknown if _may_be_repeated(change, seen, run)]
        for change in again:
            if not tools.cancelled():
                run.settle(_carry_one(change, tools))
        if again:  # a refusal may only mean that the first one did arrive after all
            seen = _looked_for(open_, run, tools)
    except ReconcilerError as error:  # what was written stays written, whoever cannot be asked for it
        trouble = f"but reading it back failed: {error}"
    except Exception as error:  # even where it is a bug of ours
        trouble = f"but reading it back failed: {_bug(error)}"
    for change in open_:
        if run.outcomes[change.address].word == "done":
            run.settle(_accepted(change, trouble) if trouble else _not_shown(change, seen))
            run.doubtful = True


def _to_look_for(outcome: Outcome) -> bool:
    """What was sent; and what is refused since it is there, or gone, already: somebody may have been faster."""
    return outcome.word in ("done", "unknown") or (outcome.error or {}).get("status") in (404, 409)


def _looked_for(open_: list[Change], run: Run, tools: Tools) -> Observation:
    """The last look for what is open; what it shows is settled and open no more."""
    for pause in LOOKS:
        if pause:
            tools.wait(pause)
        seen = look(open_, tools.reader, tools.scope)
        run.seen = run.seen.replaced(seen.snapshot.values())
        for change in list(open_):
            if held := _judge(change, run.outcomes[change.address], seen):
                run.settle(held)
                open_.remove(change)
        if not any(run.outcomes[change.address].word in ("done", "unknown") for change in open_):
            break
    return seen


def _accepted(change: Change, but: str) -> Outcome:
    return Outcome(change, "done", f"HubSpot accepted it, {but}")


def _not_shown(change: Change, seen: Observation) -> Outcome:
    """What is to be said of a write that HubSpot took and that does not show."""
    if unread := seen.unreadable(change.address):
        return _accepted(change, f"but it could not be read back: {unread.detail}")
    if message := _moved(change, seen) if change.action != "archive" else "":
        return replace(_accepted(change, f"and somebody else stepped in: {message}"), overwritten=True)
    return _accepted(change, "but reading it back does not show it")


def look(changes: Sequence[Change], reader: ListSource, scope: Scope, *, around: bool = False) -> Observation:
    """The lists that these changes touch, read again; before anything is written, what stands in their way as well."""
    scope, touched = scope_of(changes, scope), _kinds_of(changes)
    if around and (emptied := {one.address.split("/")[1] for one in changes if _archives_group(one)}):
        scope = scope.replaced(watch=tuple(sorted(emptied)))
        touched += [] if properties in touched else [properties]
    return observe(scope, read(reader, scope, touched), touched)


def looked_at_again(changes: Sequence[Change], seen: Observation, scope: Scope) -> Observation:
    """What was read already, as these changes see it."""
    return observe(scope_of(changes, scope), seen.reads, _kinds_of(changes))


def _kinds_of(changes: Sequence[Change]) -> list[Kind]:
    return list({change.kind.NAME: change.kind for change in changes}.values())


def scope_of(changes: Iterable[Change], scope: Scope) -> Scope:
    """What has to be read to judge these changes, without any spec."""
    wanted = list(changes)
    desired = Snapshot(wanted_resource(change) for change in wanted)
    known = [
        Resource(change.kind.NAME, change.address, wanted_resource(change).attributes, change.remote)
        for change in wanted
        if change.kind.NAME in (association_labels.NAME, lifecycle_stages.NAME) and change.remote
    ]
    baseline = scope.baseline.replaced(one for one in known if one.address not in scope.baseline)
    neighbours = scope.baseline.of_kind(lifecycle_stages.NAME)  # a list of stages has to name them all alike
    return Scope(scope.api, desired=desired, baseline=_only(baseline, desired).replaced(neighbours))


def _only(baseline: Snapshot, desired: Snapshot) -> Snapshot:
    return Snapshot(resource for address, resource in baseline.items() if address in desired)


def wanted_resource(change: Change) -> Resource:
    """What a change wants of its address, as a declaration."""
    attributes = {one.path: one.after for one in change.fields if "/" not in one.path and one.how != "removed"}
    return Resource(change.kind.NAME, change.address, attributes, change.remote, change.source)


def _judge(change: Change, so_far: Outcome, seen: Observation) -> Outcome | None:
    if seen.unreadable(change.address) or not holds(change, seen.snapshot, written=True):
        return None
    if so_far.word == "failed":
        return Outcome(change, "satisfied", f"somebody was faster: {so_far.message}")
    return Outcome(change, "verified", so_far.message if so_far.word == "unknown" else "")


def holds(change: Change, observed: Snapshot, *, written: bool = False) -> bool:
    """Whether the portal is as the change wants it; once it was written, in HubSpot's spelling of it too."""
    resource = observed.get(change.address)
    if change.action == "archive" or resource is None:
        return change.action == "archive" and resource is None
    return all(field_holds(change, one, resource, written) for one in change.fields)


def still_before(change: Change, observed: Snapshot) -> bool:
    """Whether some of a change that was written is just as it was before."""
    resource = observed.get(change.address)
    if resource is None or change.action != "update":
        return (resource is not None) == (change.expects == "present")
    missing = (one for one in change.fields if not field_holds(change, one, resource, written=True))
    return any(_as_before(change, one, resource) for one in missing)


def _as_before(change: Change, one: PlannedField, resource: Resource) -> bool:
    there, value = change.kind.value_at(resource, one)
    return _alike(change, one, None if one.how == "added" else one.before, value if there else None)


def _alike(change: Change, one: PlannedField, planned: Json, live: Json) -> bool:
    """Whether a live value is the planned one; an order that has lost an option is not, however the others stand."""
    shorter = isinstance(planned, list) and isinstance(live, list) and len(live) < len(planned)
    return not shorter and change.kind.same(one.path, planned, live)


def field_holds(change: Change, one: PlannedField, resource: Resource, written: bool = False) -> bool:
    """Whether one field is as the change wants it."""
    there, value = change.kind.value_at(resource, one)
    if one.how == "removed":
        return not there or change.kind.same(one.path, None, value)
    if _alike(change, one, one.after, value if there else None):
        return True
    # HubSpot stores a formula in a spelling of its own (hubspot-api.md A.11): what is not the old one is the new one.
    respelled = written and one.path == "calculationFormula" and value and one.after
    return bool(respelled) and not change.kind.same(one.path, one.before, value)


def _may_be_repeated(change: Change, seen: Observation, run: Run) -> bool:
    """Whether a write that may be lost finds what it was meant for; what somebody made of it meanwhile stays.

    What a create makes in several steps looks like nothing that was planned while it is half there; HubSpot refuses to
    make anything twice.
    """
    if seen.unreadable(change.address):
        return False
    message = _moved(change, seen) if change.expects == "present" else ""
    if message:
        outcome = run.outcomes[change.address]
        run.settle(replace(outcome, message=f"{outcome.message}, and somebody else stepped in: {message}"))
    return not message


# --- may it be done? -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Standing:
    """How a planned change stands against the portal of this moment."""

    change: Change
    word: Literal["open", "satisfied", "stale"]
    message: str = ""


def standing(change: Change, seen: Observation) -> Standing:
    """Already as wanted, still as expected, or something else, and then nothing may be written."""
    if unread := seen.unreadable(change.address):
        kind_of_error = UnavailableError if unread.status == "unavailable" else AccessError
        raise kind_of_error(f"{unread.name} can no longer be read", where=change.address, hint=unread.detail)
    if holds(change, seen.snapshot):
        return Standing(change, "satisfied")
    resource = seen.snapshot.get(change.address)
    if (resource is not None) != (change.expects == "present"):
        there = "is there" if resource is not None else "is gone"
        return Standing(change, "stale", f"the plan expected it to be {change.expects}, and it {there}")
    message = _moved(change, seen)
    return Standing(change, "stale", message) if message else Standing(change, "open")


def _moved(change: Change, seen: Observation) -> str:
    """What somebody else has made of a field, told in words; nothing where each is as it was or as it is wanted."""
    resource = seen.snapshot.get(change.address)
    if resource is None:
        return ""
    fields = [one for one in change.fields if change.action != "archive" or not _moves_along(one)]
    return next(filter(None, (_field_moved(change, one, resource) for one in fields)), "")


def _moves_along(one: PlannedField) -> bool:
    """Whether others move what is said here by moving themselves."""
    return one.path.endswith(("displayOrder", "position"))


def _field_moved(change: Change, one: PlannedField, resource: Resource) -> str:
    if _as_before(change, one, resource) or field_holds(change, one, resource):
        return ""
    there, value = change.kind.value_at(resource, one)
    who, when = resource.facts.get("updatedUserId"), resource.facts.get("updatedAt")
    by = f", changed by user {who}" if who else ""
    at = f" at {when}" if when else ""
    was, now = (repr(one.before) if one.how != "added" else "nothing"), (repr(value) if there else "nothing")
    return f"{one.path} was {was} when the plan was made and is {now} now{by}{at}"


def _archives_group(change: Change) -> bool:
    return change.action == "archive" and change.kind.NAME == property_groups.NAME


def in_the_way(changes: Sequence[Change], seen: Observation) -> Iterator[Standing]:
    """Groups that HubSpot will not let go: somebody has put a property into them."""
    writes = {change.address: change for change in changes if change.writes}
    for change in (one for one in writes.values() if _archives_group(one) and one.address in seen.snapshot):
        for address, resource in seen.snapshot.items():
            leaves = address in writes and any(f.path == "groupName" for f in writes[address].fields)
            inside = resource.kind == properties.NAME and resource.attributes["groupName"] == change.name
            if inside and not leaves and address.split("/")[1] == change.address.split("/")[1]:
                yield Standing(change, "stale", f"it holds {address}, which this plan neither archives nor moves")
                break


def neighbours_gone(changes: Sequence[Change], seen: Observation) -> Iterator[Standing]:
    """Stages that were to stand after one that somebody has deleted: nobody decided where they belong now."""
    for change in changes:
        if not change.writes or change.kind.NAME != lifecycle_stages.NAME:
            continue
        if lost := lifecycle_stages.lost_neighbour(change.remote, seen.snapshot):
            yield Standing(change, "stale", f"the stage {lost!r} that it was to stand after is gone")


def texts_taken(changes: Sequence[Change], seen: Observation) -> Iterator[Standing]:
    """Stages and labels whose new text HubSpot will refuse: somebody has given it to another one."""
    writes = {change.address: change for change in changes if change.writes and _tells_a_text(change)}
    taken = {
        text: address
        for address, resource in seen.snapshot.items()
        if address not in writes
        for text in _texts(address, resource.attributes)
    }
    for change in writes.values():
        live = seen.snapshot.get(change.address)
        wanted = {**(live.attributes if live else {}), **{one.path: one.after for one in change.fields}}
        there = [text for text in _texts(change.address, wanted) if text in taken]
        if change.action != "archive" and there:
            yield Standing(change, "stale", f"{taken[there[0]]} is called that by now")


def _tells_a_text(change: Change) -> bool:
    return change.action == "archive" or any(one.path in ("label", "inverseLabel") for one in change.fields)


def _texts(address: str, attributes: Mapping[str, Json]) -> Iterator[tuple[str, ...]]:
    """What HubSpot wants to be unique, without case: a stage's label, a label's text in its direction of a pair."""
    kind, *names = address.split("/")
    if kind == lifecycle_stages.NAME:  # live, contacts and companies each have their own
        sides = [attributes, *(side for side in attributes.values() if isinstance(side, Mapping))]
        yield from ((kind, lifecycle_stages.plain(side["label"])) for side in sides if side.get("label"))
    elif kind == association_labels.NAME and (label := attributes.get("label")):
        start, end = names[:2]
        yield kind, start, end, label.casefold()
        yield kind, end, start, (attributes.get("inverseLabel") or label).casefold()


def refuse_stale(standings: Sequence[Standing]) -> None:
    """Nothing at all is written when one change no longer finds what it was planned for."""
    stale = [one for one in standings if one.word == "stale"]
    if stale:
        lines = "; ".join(f"{one.change.address}: {one.message}" for one in stale)
        raise StaleError(f"the portal moved since the plan was made: {lines}", hint="plan again and have it reviewed")
