"""Formats that CI systems read are what those systems take."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
import xmlschema
from render_documents import ALL, DOCTOR, FLEET, HOSTILE, PLAN_FULL, change, result, source

from reconciler.errors import UsageError
from reconciler.render import FORMATS, Style

SCHEMAS = Path(__file__).parent / "schemas"
SARIF = jsonschema.Draft4Validator(json.loads((SCHEMAS / "sarif-2.1.0.json").read_text("utf-8")))
JUNIT = xmlschema.XMLSchema(str(SCHEMAS / "junit-10.xsd"))
CODE_QUALITY = {  # what GitLab's documentation says of a code-quality report
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "minLength": 1},
                    "lines": {"type": "object", "required": ["begin"], "properties": {"begin": {"minimum": 1}}},
                },
            },
        },
    },
}


def shown(format_: str, document: dict) -> str:
    return FORMATS[format_](document, Style())


@pytest.mark.parametrize("name", ALL)
def test_sarif_is_valid(name: str) -> None:
    """Every document is SARIF by the official schema, with every rule described and every place relative."""
    log = json.loads(shown("sarif", ALL[name]))

    assert [error.message for error in SARIF.iter_errors(log)] == []
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert all(rules[one["ruleIndex"]] == one["ruleId"] for one in run["results"])


def test_sarif_says_what_is_wrong_and_where() -> None:
    """A finding is a result with its level, rule, place and fix; drift is none."""
    results = json.loads(shown("sarif", ALL["validate-errors"]))["runs"][0]["results"]

    assert [(one["level"], one["ruleId"], one["message"]["text"]) for one in results] == [
        ("error", "unknown-key", "a property has no key 'labell'; did you mean label?"),
        (
            "warning",
            "unknown-group",
            "the group customer_sucess is not declared here; did you mean customer_success?",
        ),
    ]
    assert results[0]["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "specs/customer-success.yaml"},
        "region": {"startLine": 14, "startColumn": 7},
    }
    assert json.loads(shown("sarif", ALL["drift"]))["runs"][0]["results"] == []


@pytest.mark.parametrize("name", ALL)
def test_every_result_of_sarif_has_a_place(name: str) -> None:
    """Code scanning refuses a whole file for one result without a place: the settings stand for what has none."""
    for one in json.loads(shown("sarif", ALL[name]))["runs"][0]["results"]:
        assert one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].endswith(".yaml")


def test_sarif_messages_link_nowhere() -> None:
    """A bracket in a message is escaped, for code scanning would make a link of it."""
    results = json.loads(shown("sarif", HOSTILE))["runs"][0]["results"]

    assert not [one for one in results if re.search(r"(?<!\\)[\[\]]", one["message"]["text"])]


@pytest.mark.parametrize("name", ALL)
def test_junit_is_valid(name: str) -> None:
    """Every document is JUnit XML by the schema that CI systems go by, and its counts are right."""
    report = shown("junit", ALL[name])

    JUNIT.validate(report)
    assert int(re.findall(r'tests="(\d+)"', report)[0]) == report.count("<testcase ")
    assert int(re.findall(r'failures="(\d+)"', report)[0]) == report.count("<failure ")


def test_junit_has_a_case_for_each_object() -> None:
    """A plan has a case a change, failed where a guard refuses it, and the failure says why."""
    report = shown("junit", PLAN_FULL)

    assert report.count("<testcase ") == len(PLAN_FULL["changes"])
    why = "archive property old_score of contacts is refused by guard destructive: "
    failed = re.findall(rf'name="([^"]*)" time="0">\s*<failure message="{why}', report)
    assert failed == ["properties/contacts/old_score"]


def test_junit_shows_accepted_drift_as_skipped() -> None:
    """What moved fails, what was accepted is skipped."""
    first, second = ALL["drift"]["items"][:2]
    report = shown("junit", {**ALL["drift"], "items": [first, {**second, "accepted": {"reason": "fine"}}]})

    assert (report.count("<failure "), report.count("<skipped ")) == (1, 1)


FAILED_PORTAL = "globex: HUBSPOT_ACCESS_TOKEN is not set at globex.yaml; export it"


def test_junit_has_a_case_for_each_portal() -> None:
    """A portal of a fleet that failed, is refused or breaks something is red; one that was not begun is skipped."""
    assert junit_cases(FLEET) == [
        ("acme", "", ""),
        ("globex", "error", FAILED_PORTAL),
        ("hooli", "failure", "hooli: breaks warehouse"),
        (
            "initech",
            "failure",
            "initech: archive needs consent; --allow properties/contacts/old_score\n"
            "initech: destroys properties/contacts/old_score",
        ),
        ("umbrella", "skipped", "umbrella: the run was interrupted"),
    ]


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [("drifted", "failure"), ("stopped", "error"), ("applied", ""), ("same", ""), ("differs", "")],
)
def test_junit_goes_by_the_verdict_of_a_portal(verdict: str, expected: str) -> None:
    """Drift fails, an interrupted portal is an error, and a plan with changes is good."""
    portals = [result("acme", verdict, states={"drifted": ["properties/contacts/a"]})]

    assert [case[1] for case in junit_cases({**FLEET, "portals": portals})] == [expected]


def test_junit_has_a_case_for_each_check_of_the_doctor() -> None:
    """An error of the doctor is red, and what is only a warning or not known is skipped."""
    assert junit_cases(DOCTOR) == [
        ("python", "", ""),
        ("baseline", "skipped", "`reconciler import`"),
        ("token", "failure", "export it"),
        ("portal", "skipped", ""),
    ]


def junit_cases(document: dict) -> list[tuple[str, str, str]]:
    suite = ElementTree.fromstring(shown("junit", document))[0]
    told = [(case.get("name", ""), next(iter(case), None)) for case in suite]
    return [(name, "" if one is None else one.tag, "" if one is None else one.text or "") for name, one in told]


def test_every_format_tells_which_portal_failed() -> None:
    """Annotations, code quality and SARIF name what went wrong in a fleet, the worst first."""
    lines = shown("github", FLEET).splitlines()
    entries = json.loads(shown("gitlab-codequality", FLEET))
    results = json.loads(shown("sarif", FLEET))["runs"][0]["results"]

    assert lines == [
        f"::error title=access::{FAILED_PORTAL}",
        "::error title=blocked::initech: archive needs consent; --allow properties/contacts/old_score",
        "::warning title=breaking::hooli: breaks warehouse",
        "::warning title=destructive::initech: destroys properties/contacts/old_score",
        "::warning title=not-started::umbrella: the run was interrupted",
    ]
    told = [line.split("::", 2)[2] for line in lines]
    assert [one["description"] for one in entries] == told
    assert [one["message"]["text"] for one in results] == told


def test_every_format_tells_what_the_doctor_found() -> None:
    """An error and a warning of the doctor are marked, with the way out; what is not known is a note."""
    lines = shown("github", DOCTOR).splitlines()

    assert lines == [
        "::error title=doctor-token::HUBSPOT_ACCESS_TOKEN is not set; export it",
        "::warning title=doctor-baseline::there is no baseline yet; `reconciler import`",
        "::notice title=doctor-portal::nobody could be asked",
    ]


def test_an_annotation_names_what_breaks_an_integration() -> None:
    """What breaks is named in the message: a reader of code scanning sees no other column."""
    broken = {"integration": "warehouse", "why": "it needs the property, and it is gone"}
    change = {**PLAN_FULL["changes"][0], "address": "properties/contacts/score", "action": "archive", "guards": []}
    document = {**PLAN_FULL, "changes": [{**change, "breaks": [broken], "severity": "safe", "fields": []}]}

    told = "archive property score of contacts breaks warehouse: it needs the property, and it is gone"
    assert told in shown("github", document)


def test_drift_of_a_fleet_is_marked_but_raises_no_alert() -> None:
    """As with one portal, drift is an annotation as bad as its worst item, and nothing of it is in SARIF."""
    states = {"drifted": [f"properties/contacts/{name}" for name in "abcdefgh"], "unreadable": ["properties/deals"]}
    portals = [result("acme", "drifted", 2, command="drift", states=states, summary={"high": 1, "low": 8})]
    document = {**FLEET, "command": "drift", "portals": portals}
    six = ", ".join(f"properties/contacts/{name}" for name in "abcdef")

    told = f"acme: drifted {six} and 2 more; unreadable properties/deals"
    assert shown("github", document) == f"::error title=drifted::{told}\n"
    assert json.loads(shown("sarif", document))["runs"][0]["results"] == []


def test_github_marks_the_ten_worst() -> None:
    """Annotations name file and line, worst first, at most ten, and then say how many more there are."""
    findings = [
        {"rule": "r", "severity": severity, "message": f"{severity} {at}", "source": source(at)}
        for at in range(1, 9)
        for severity in ("warning", "error")
    ]
    lines = shown("github", {**ALL["validate-errors"], "findings": findings}).splitlines()

    assert lines[0] == "::error file=specs/customer-success.yaml,line=1,title=r,col=7::error 1"
    assert [line.partition(" ")[0] for line in lines] == ["::error"] * 8 + ["::warning"] * 2 + ["::notice"]
    assert lines[-1] == "::notice title=reconciler::6 more problems; the summary names them all"


def test_github_commands_cannot_be_forged() -> None:
    """A value adds no command and no property; per cent signs, colons and commas are encoded."""
    evil = {"file": "a,line=9::b%0A.yaml", "line": 1, "column": 2}
    finding = {"rule": "x,y:z", "severity": "error", "message": "100%\n::error::pwned", "source": evil}
    line = shown("github", {**ALL["validate-errors"], "findings": [finding]})

    assert line == ("::error file=a%2Cline=9%3A%3Ab%250A.yaml,line=1,title=x%2Cy%3Az,col=2::100%25\\n::error::pwned\n")
    assert all(re.match(r"::(error|warning|notice) ", one) for one in shown("github", HOSTILE).splitlines())


@pytest.mark.parametrize("name", ALL)
def test_code_quality_is_valid(name: str) -> None:
    """Every document is a code-quality report, with a fingerprint that no other entry has."""
    entries = json.loads(shown("gitlab-codequality", ALL[name]))

    jsonschema.validate(entries, CODE_QUALITY)
    assert len({one["fingerprint"] for one in entries}) == len(entries)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["c.yaml"], "hubspot/sub/reconciler.yaml"),
        (["sub/c.yaml", "d.yaml"], "hubspot/reconciler.yaml"),
        ([], "specs/reconciler.yaml"),
    ],
)
def test_code_quality_without_a_place_is_of_the_settings(files: list, expected: str) -> None:
    """A problem of the whole stands at the settings, beside the specs that the changes come from."""
    spec = {"files": [{"path": path} for path in files]}
    placed = change("properties/contacts/a", "update", source={"file": "hubspot/sub/c.yaml", "line": 3, "column": 1})
    guard = {"rule": "max-changes", "result": "refused", "limit": 0, "observed": 1}
    document = {**PLAN_FULL, "spec": spec, "changes": [placed], "findings": [], "guards": [guard], "errors": []}

    entries = json.loads(shown("gitlab-codequality", document))

    assert {one["location"]["path"] for one in entries if one["check_name"] == "guard-max-changes"} == {expected}


def test_gitlab_counts_of_a_plan() -> None:
    """The widget's report has three counts; of an apply it counts what was really written."""
    restored = change("properties/contacts/a", "restore", severity="caution")

    assert json.loads(shown("gitlab-terraform", PLAN_FULL)) == {"create": 5, "update": 4, "delete": 1}
    assert json.loads(shown("gitlab-terraform", {**PLAN_FULL, "changes": [restored]}))["create"] == 1
    assert json.loads(shown("gitlab-terraform", ALL["apply-partial"])) == {"create": 2, "update": 0, "delete": 0}


def test_gitlab_counts_nothing_but_plans() -> None:
    """Three counts of a drift check would say that nothing moved, so they are refused."""
    with pytest.raises(UsageError, match="gitlab-terraform shows a plan or an apply, not drift"):
        shown("gitlab-terraform", ALL["drift"])
