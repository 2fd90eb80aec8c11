"""Pictures of a document as positions and texts: the template draws them, and the same facts as tables."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from reconciler.model import Json
from reconciler.render.mermaid import neighbourhood
from reconciler.render.text_coverage import scope
from reconciler.render.words import SEVERITIES, Document, clip, moment

LANE, TOP = 34, 8
SIGNS = {"added": "+", "removed": "−", "changed": "~", "same": ""}
MOST_LABELS, MOST_RUNS = 40, 60


@dataclass(frozen=True, slots=True)
class Box:
    """An object type beside the lanes of its labels."""

    name: str
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Lane:
    """One label on its way from an object to another."""

    y: int
    state: str
    sign: str
    text: str


@dataclass(frozen=True, slots=True)
class Labels:
    """The picture of association labels, and the labels themselves."""

    left: Sequence[Box]
    right: Sequence[Box]
    lanes: Sequence[Lane]
    height: int
    rows: Sequence[Mapping[str, Json]]
    hidden: int


def labels(document: Document) -> Labels | None:
    """Objects as boxes, each label a lane between two of them; what changes, or all where that is little."""
    model = document.get("model") or {}
    everything = model.get("associationLabels", ())
    shown = neighbourhood(model) or list(everything)
    if not shown:
        return None
    drawn = sorted(shown, key=lambda one: (one["from"], one["to"], one["address"]))[:MOST_LABELS]
    lanes = [_lane(at, one) for at, one in enumerate(drawn)]
    left = _boxes([(one["from"],) for one in drawn])
    right = _boxes([(one["from"], one["to"]) for one in drawn])
    hidden = len(everything) - len(drawn)
    return Labels(left, right, lanes, TOP * 2 + LANE * len(drawn), drawn, hidden)


def _lane(at: int, one: Mapping[str, Json]) -> Lane:
    inverse = one.get("inverseLabel")
    both = f"{one['label']} ⇄ {inverse}" if inverse and inverse != one["label"] else str(one["label"])
    return Lane(TOP + LANE * at + LANE // 2, one["state"], SIGNS[one["state"]], clip(both, 52))


def _boxes(keys: Sequence[tuple[str, ...]]) -> list[Box]:
    boxes, at = [], 0
    for key, same in groupby(keys):
        number = len(list(same))
        boxes.append(Box(clip(key[-1], 18), TOP + LANE * at + 3, LANE * number - 6))
        at += number
    return boxes


@dataclass(frozen=True, slots=True)
class Step:
    """A stage on one side, and its place on the other; none when it is there on one side only."""

    name: str
    label: str
    at: int
    other: int | None


@dataclass(frozen=True, slots=True)
class Stages:
    """Lifecycle stages before and after."""

    before: Sequence[Step]
    after: Sequence[Step]

    @property
    def height(self) -> int:
        """Of the picture."""
        return 40 + 30 * max(len(self.before), len(self.after))

    @property
    def moved(self) -> bool:
        """Whether anything differs."""
        return [(one.name, one.label) for one in self.before] != [(one.name, one.label) for one in self.after]


def stages(document: Document) -> Stages | None:
    """Both orders side by side; nothing where no stage is known."""
    told = (document.get("model") or {}).get("lifecycleStages") or {}
    before, after = told.get("before") or [], told.get("after") or []
    found = Stages(_steps(before, after), _steps(after, before))
    return found if found.moved else None


def _steps(here: Sequence[Mapping[str, Json]], there: Sequence[Mapping[str, Json]]) -> list[Step]:
    places = {stage["name"]: at for at, stage in enumerate(there)}
    return [Step(one["name"], one["label"], at, places.get(one["name"])) for at, one in enumerate(here)]


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a bar: where it begins, how long it is, and what it stands for."""

    role: str
    start: float
    length: float
    number: int


@dataclass(frozen=True, slots=True)
class Run:
    """One run in the history: a stack of bars, one a severity."""

    when: str
    x: float
    width: float
    bars: Sequence[Bar]
    row: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Timeline:
    """Open drift over the runs of the history."""

    runs: Sequence[Run]
    most: int


def timeline(document: Document) -> Timeline | None:
    """The last runs of the history as stacks; nothing without a history of two runs."""
    told = list(document.get("timeline") or ())[-MOST_RUNS:]
    if len(told) < 2:
        return None
    most = max(max(run["open"], sum((run.get("bySeverity") or {}).values())) for run in told) or 1
    width = 700 / len(told)
    return Timeline([_run(at, run, width, most) for at, run in enumerate(told)], most)


def _run(at: int, run: Mapping[str, Json], width: float, most: int) -> Run:
    bars, top = [], 0.0
    for severity in reversed(SEVERITIES):
        number = (run.get("bySeverity") or {}).get(severity, 0)
        height = 150 * number / most
        if number:
            bars.append(Bar(severity, round(170 - top - height, 1), round(height, 1), number))
        top += height
    return Run(moment(run["at"]), round(44 + at * width, 1), round(min(max(width - 3, 2), 44), 1), bars, run)


COVERED = ("declared", "ignored", "unmanaged", "hubspotDefined")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of bars: whose it is, its parts, and its numbers."""

    name: str
    y: int
    bars: Sequence[Bar]
    numbers: Sequence[int]


def coverage(document: Document) -> Sequence[Row]:
    """The share of custom definitions that is declared, ignored or unmanaged, an object type a row."""
    told = (document.get("coverage") or {}).get("objectTypes") or ()
    rows = [one for one in told if sum(one.get(part) or 0 for part in COVERED)]
    return [_covered(at, one) for at, one in enumerate(rows)]


def _covered(at: int, one: Mapping[str, Json]) -> Row:
    numbers = [one.get(part) or 0 for part in COVERED]
    return Row(scope(str(one["objectType"])), at * 30, list(_parts(COVERED[:3], numbers[:3], 520)), numbers)


def _parts(roles: Sequence[str], numbers: Sequence[int], width: float) -> Iterator[Bar]:
    start, whole = 0.0, sum(numbers) or 1
    for role, number in zip(roles, numbers, strict=True):
        length = width * number / whole
        if number:
            yield Bar(role, round(start, 1), round(length, 1), number)
        start += length


def limits(document: Document) -> Sequence[Row]:
    """How much of each of the portal's limits is used."""
    told = (document.get("coverage") or {}).get("limits") or ()
    return [_limit(at, one) for at, one in enumerate(told) if one.get("limit")]


def _limit(at: int, one: Mapping[str, Json]) -> Row:
    share = min(one["used"] / one["limit"], 1.0)
    role = "full" if share > 0.9 else "declared"
    return Row(
        str(one["name"]), at * 30, [Bar(role, 0, round(520 * share, 1), one["used"])], [one["used"], one["limit"]]
    )
