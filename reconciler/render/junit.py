"""A document as JUnit XML, which every CI shows as tests: one case an object, failed where a person has to look.

A plan fails where a guard refuses, sides conflict or an integration breaks; a drift check where something moved and is
not accepted; a validation where the specs are wrong; an apply where something was not done; a portal of a fleet where
any of this holds for it, or its run ended early; a check of the doctor where it found an error.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree as xml

from reconciler.model import Json
from reconciler.render import escape, text_drift
from reconciler.render.problems import Problem, of_portal, problems
from reconciler.render.style import Style
from reconciler.render.words import (
    Document,
    drift_kind,
    entries_of,
    heading,
    in_line,
    own_errors,
    place,
    portal,
    unread,
)

Result = Literal["", "failure", "error", "skipped"]
VERDICTS: Mapping[str, Result] = {
    "failed": "error",
    "stopped": "error",
    "drifted": "failure",
    "not-started": "skipped",
}
CHECKS: Mapping[str, Result] = {"error": "failure", "warning": "skipped", "unknown": "skipped"}
OUTCOMES: Mapping[str, Result] = {"failed": "failure", "unknown": "error", "blocked": "skipped", "skipped": "skipped"}


@dataclass(frozen=True, slots=True)
class Case:
    """One test: the group it stands in, its name, what came of it, and why."""

    group: str
    name: str
    result: Result = ""
    message: str = ""
    detail: str = ""


def render(document: Document, style: Style) -> str:
    """One suite with a case an object; a document about nothing has a case that says so."""
    kind = str(document.get("kind") or "report")
    cases = [*_trouble(document), *CASES.get(kind, _findings)(document)] or [Case(kind, "nothing to report")]
    counts = {result: sum(case.result == result for case in cases) for result in ("failure", "error", "skipped")}
    attributes = {
        "name": _safe(f"reconciler {kind} {portal(document)}".rstrip()),
        "tests": str(len(cases)),
        "failures": str(counts["failure"]),
        "errors": str(counts["error"]),
        "skipped": str(counts["skipped"]),
        "time": "0",
        "timestamp": _safe(str(document.get("generatedAt") or "")).removesuffix("Z"),
    }
    suites = xml.Element("testsuites")
    suite = xml.SubElement(suites, "testsuite", attributes)
    for case in cases:
        _add(suite, case)
    xml.indent(suites)
    return xml.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _add(suite: xml.Element, case: Case) -> None:
    about = {"classname": _safe(case.group), "name": _safe(case.name), "time": "0"}
    element = xml.SubElement(suite, "testcase", about)
    if case.result:
        told = xml.SubElement(element, case.result, {"message": _safe(case.message)})
        told.text = "\n".join(map(_safe, case.detail.split("\n"))) or None


def _safe(text: str) -> str:
    return escape.terminal(text)


def _trouble(document: Document) -> Iterator[Case]:
    """Errors of the run, and lists that could not be read."""
    for error in own_errors(document):
        yield Case(
            "run", error.get("where") or error["code"], "error", in_line(error["message"]), error.get("hint") or ""
        )
    for told in unread(document):
        yield Case("reads", told.partition(" ")[0], "skipped", told)


def _changes(document: Document) -> Iterator[Case]:
    found: dict[str, list[Problem]] = {}
    for one in problems(document, drift=False):
        if _fails(one):
            found.setdefault(one.address, []).append(one)
    planned = {change["address"] for change in document.get("changes", ())}
    yield from (Case("plan", one.rule, "failure", one.message) for one in _of_the_whole(document, planned))
    for change in document.get("changes", ()):
        yield _case(change["address"], found.get(change["address"], ()), change)


def _fails(one: Problem) -> bool:
    return one.level == "error" or one.rule == "breaking"


def _of_the_whole(document: Document, planned: Collection[str]) -> list[Problem]:
    """What stops the plan and is about no change of it: findings, and guards that refuse the whole."""
    told = {error["code"] for error in own_errors(document)}
    found = [one for one in problems(document, drift=False) if one.level == "error"]
    return [one for one in found if one.address not in planned and one.rule not in told]


def _case(address: str, wrong: Sequence[Problem], change: Mapping[str, Json]) -> Case:
    if not wrong:
        return Case(heading(address), address)
    source = place(change.get("source"), column=True)
    detail = "\n".join([*(one.text for one in wrong), *([source] if source else [])])
    return Case(heading(address), address, "failure", wrong[0].message, detail)


def _outcomes(document: Document) -> Iterator[Case]:
    for change in document.get("changes", ()):
        result = OUTCOMES.get(change.get("outcome", "unknown"), "")
        told = [change.get("message") or "", (change.get("error") or {}).get("message") or ""]
        message = f"{change['action']} {change.get('outcome')}"
        yield Case(
            heading(change["address"]),
            change["address"],
            result,
            message,
            "\n".join(filter(None, dict.fromkeys(told))),
        )


def _items(document: Document) -> Iterator[Case]:
    for item in document.get("items", ()):
        told = [f"{one.sign} {one.name} {one.sides}".strip() for one in entries_of(text_drift.item_fields(item))]
        broken = [f"breaks {one['integration']}: {one['why']}" for one in item.get("breaks") or ()]
        detail = "\n".join([*text_drift.evidence(item), *told, *broken, *(item.get("ways") or {}).values()])
        message = f"{item['severity']}: {drift_kind(item)[1]} ({item['class']})"
        result: Result = "skipped" if item.get("accepted") else "failure"
        yield Case(heading(item["address"]), item["address"], result, message, detail)


def _portals(document: Document) -> Iterator[Case]:
    """A case a portal of a fleet; one whose plan breaks something or would be refused has failed."""
    for one in document.get("portals", ()):
        found = list(of_portal(one))
        planned: Result = "failure" if one["verdict"] == "differs" and any(map(_fails, found)) else ""
        result = VERDICTS.get(one["verdict"], planned)
        yield Case("portals", one["name"], result, one["verdict"], "\n".join(problem.text for problem in found))


def _checks(document: Document) -> Iterator[Case]:
    """A case a check of the doctor."""
    for one in document.get("checks", ()):
        yield Case("doctor", one["name"], CHECKS.get(one["status"], ""), one["message"], one["fix"])


def _findings(document: Document) -> Iterator[Case]:
    """A case a spec file that is sound, and one a finding."""
    findings = document.get("findings", ())
    wrong = {finding["source"]["file"] for finding in findings if finding.get("source")}
    for file in [*(document.get("spec") or {}).get("files", ()), *document.get("files", ())]:
        if file["path"] not in wrong:
            yield Case("specs", file["path"])
    for finding in findings:
        where = place(finding.get("source"), column=True) or finding.get("address") or finding["rule"]
        result: Result = "failure" if finding["severity"] == "error" else "skipped"
        detail = "\n".join(filter(None, [where, finding.get("fix"), finding.get("frame")]))
        yield Case(finding["rule"], finding.get("address") or where, result, finding["message"], detail)


CASES = {"plan": _changes, "apply": _outcomes, "drift": _items, "fleet": _portals, "doctor": _checks}
