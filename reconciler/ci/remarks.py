"""Annotations: what a person should see beside a line of the specs, worst first, in the form that a host takes."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from reconciler.model import Json
from reconciler.render import escape
from reconciler.render.words import (
    clip,
    conflicts,
    consequences,
    drift_items,
    drift_kind,
    in_line,
    is_destructive,
    own_errors,
    refusal,
    refused,
)

Level = Literal["error", "warning", "notice"]
LEVELS: tuple[Level, ...] = ("error", "warning", "notice")
MOST = 10  # GitHub shows ten of a level for each step, and drops the rest in silence
LONG = 900
OF_SEVERITY: Mapping[str, Level] = {
    "error": "error",
    "warning": "warning",
    "high": "error",
    "medium": "warning",
}


@dataclass(frozen=True, slots=True)
class Remark:
    """One annotation; without a file it is about the run as a whole."""

    level: Level
    title: str
    message: str
    file: str = ""
    line: int = 0
    column: int = 0


def of(document: Mapping[str, Json], where: Callable[[str], str] = str) -> list[Remark]:
    """What a document has to say at lines of the specs, worst first; ``where`` makes a path one of the repository."""
    found = [
        *_of_errors(document),
        *_of_findings(document, where),
        *OF_KIND.get(document["kind"], _nothing)(document, where),
    ]
    return sorted(found, key=lambda remark: LEVELS.index(remark.level))


def worst(remarks: Iterable[Remark], more_in: str) -> list[Remark]:
    """The ten worst of all documents of a run, and one line that tells of the others."""
    found = sorted(remarks, key=lambda remark: LEVELS.index(remark.level))
    if len(found) <= MOST:
        return found
    rest = len(found) - MOST
    return [*found[:MOST], Remark("notice", "hubspot-reconciler", f"{rest:,} more in {more_in}")]


def _of_errors(document: Mapping[str, Json]) -> Iterator[Remark]:
    for error in own_errors(document):
        hint = f" ({error['hint']})" if error.get("hint") else ""
        yield Remark("error", error["code"], clip(in_line(error["message"]) + hint, LONG))


def _of_findings(document: Mapping[str, Json], where: Callable[[str], str]) -> Iterator[Remark]:
    for finding in document.get("findings", ()):
        fix = f"; {finding['fix']}" if finding.get("fix") else ""
        level = OF_SEVERITY.get(finding["severity"], "notice")
        yield _placed(finding, level, finding["rule"], finding["message"] + fix, where)


def _of_plan(document: Mapping[str, Json], where: Callable[[str], str]) -> Iterator[Remark]:
    for guard in refused(document):
        yield Remark("error", f"guard-{guard['rule']}", clip(refusal(guard), LONG))
    for change in document.get("changes", ()):
        title = f"{change['action']} {change['address']}"
        if conflicts(change):
            yield _placed(
                change, "error", title, "HubSpot and the spec both changed it; somebody has to decide.", where
            )
        elif is_destructive(change) or refused(change) or change.get("breaks"):
            told = [*consequences(change), *map(_broken, change.get("breaks") or ()), *_refusals(change)]
            yield _placed(change, "warning", title, " ".join(told), where)


def _refusals(change: Mapping[str, Json]) -> Iterator[str]:
    for guard in refused(change):
        way = f" To allow it: {guard['allow']}." if guard.get("allow") else ""
        yield f"Refused by guard {guard['rule']}.{way}"


def _broken(broken: Mapping[str, Json]) -> str:
    return f"Breaks {broken['integration']}: {broken['why']}."


def _of_apply(document: Mapping[str, Json], where: Callable[[str], str]) -> Iterator[Remark]:
    for change in document.get("changes", ()):
        if change.get("outcome") in ("failed", "unknown", "blocked", "skipped"):
            level: Level = "error" if change["outcome"] in ("failed", "unknown") else "warning"
            told = change.get("message") or (change.get("error") or {}).get("message") or change["outcome"]
            yield _placed(change, level, f"{change['outcome']}: {change['action']} {change['address']}", told, where)


def _of_drift(document: Mapping[str, Json], where: Callable[[str], str]) -> Iterator[Remark]:
    for item in drift_items(document) if "items" in document else ():
        level = OF_SEVERITY.get(item["severity"], "notice")
        told = [f"{item['class']}: {drift_kind(item)[1]} in HubSpot.", *map(_broken, item.get("breaks") or ())]
        yield _placed(item, level, item["address"], " ".join(told), where)


def _nothing(document: Mapping[str, Json], where: Callable[[str], str]) -> Iterator[Remark]:
    yield from ()


OF_KIND: Mapping[str, Callable[[Mapping[str, Json], Callable[[str], str]], Iterator[Remark]]] = {
    "plan": _of_plan,
    "apply": _of_apply,
    "drift": _of_drift,
}


def _placed(about: Mapping[str, Json], level: Level, title: str, message: str, where: Callable[[str], str]) -> Remark:
    source = about.get("source")
    remark = Remark(level, title, clip(message, LONG))
    if not source:
        return remark
    return replace(remark, file=where(source["file"]), line=source["line"], column=source.get("column") or 0)


# --- as hosts take them ----------------------------------------------------------------------------------------------


def github(remark: Remark) -> str:
    """A workflow command."""
    place = {"file": remark.file, "line": remark.line, "col": remark.column, "title": remark.title}
    told = ",".join(f"{name}={_property(str(value))}" for name, value in place.items() if value)
    return f"::{remark.level} {told}::{_data(remark.message)}"


def _data(text: str) -> str:
    return escape.terminal(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def azure(remark: Remark) -> str:
    """A logging command; Azure knows errors and warnings only."""
    kind = "error" if remark.level == "error" else "warning"
    place = {"sourcepath": remark.file, "linenumber": remark.line, "columnnumber": remark.column, "code": remark.title}
    told = "".join(f"{name}={_azure(str(value))};" for name, value in place.items() if value)
    return f"##vso[task.logissue type={kind};{told}]{_azure(remark.message)}"


def _azure(text: str) -> str:
    return escape.terminal(text).replace("%", "%AZP25").replace(";", "%3B").replace("]", "%5D")


def bitbucket(remarks: Sequence[Remark]) -> list[dict[str, Json]]:
    """Code Insights annotations; a summary may have 450 signs."""
    severity = {"error": "HIGH", "warning": "MEDIUM", "notice": "LOW"}
    return [
        {
            "external_id": f"hubspot-reconciler-{number}",
            "annotation_type": "CODE_SMELL",
            "severity": severity[remark.level],
            "summary": clip(escape.terminal(f"{remark.title}: {remark.message}"), 440),
            **({"path": remark.file, "line": remark.line} if remark.file else {}),
        }
        for number, remark in enumerate(remarks, 1)
    ]
