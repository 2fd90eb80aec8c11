"""Spec findings, and what a plan would destroy or break, as SARIF 2.1.0 for code scanning.

Drift is left out: nothing of it lies on a line that somebody changed, and an alert about it would linger. GitHub
refuses a whole file in which one result has no place ("locationFromSarifResult: expected at least one location"), so
the first line of the settings stands for what has none.
"""

import json
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from reconciler.model import Json
from reconciler.render import escape
from reconciler.render.problems import Problem, problems, settings_file
from reconciler.render.style import Style
from reconciler.render.words import Document

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MOST = 5_000  # results of a run that GitHub keeps


def render(document: Document, style: Style) -> str:
    """One run with a result a problem; a document without problems gives a run without results."""
    found = problems(document, drift=False)
    shown = found[:MOST]
    rules = sorted({one.rule for one in shown})
    exit_, elsewhere = document.get("exit") or {}, {"file": settings_file(document), "line": 1}
    run = {
        "tool": {"driver": _driver(document, rules, shown)},
        "automationDetails": {"id": _text(f"reconciler/{document.get('kind')}/{_portal(document)}")},
        "invocations": [
            {
                "executionSuccessful": exit_.get("code", 0) in (0, 2),
                "exitCode": exit_.get("code", 0),
                "toolExecutionNotifications": _left_out(len(found) - len(shown)),
            }
        ],
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, rules, elsewhere) for one in shown],
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return escape.json_text(json.dumps(log, ensure_ascii=False, indent=1)) + "\n"


def _portal(document: Document) -> str:
    name = (document.get("portal") or {}).get("name")
    return f"{name}/" if name else ""


def _driver(document: Document, rules: Sequence[str], shown: Sequence[Problem]) -> dict[str, Json]:
    version = (document.get("tool") or {}).get("version", "0.0.0")
    fixes = {one.rule: one.fix for one in reversed(shown) if one.fix}
    return {"name": "hubspot-reconciler", "semanticVersion": version, "rules": [_rule(one, fixes) for one in rules]}


def _rule(rule: str, fixes: Mapping[str, str]) -> dict[str, Json]:
    words = rule.replace("-", " ").replace(".", " ")
    told = f"{words[:1].upper()}{words[1:]}."
    way = f"For example: {fixes[rule]}" if rule in fixes else "The message says what is wrong and where."
    return {
        "id": _text(rule),
        "shortDescription": {"text": _text(told)},
        "fullDescription": {"text": _text(told)[:1024]},
        "help": {"text": _text(way)},
    }


def _result(one: Problem, rules: Sequence[str], elsewhere: Mapping[str, Json]) -> dict[str, Json]:
    return {
        "ruleId": _text(one.rule),
        "ruleIndex": rules.index(one.rule),
        "level": one.level,
        "message": {"text": _message(one.text)},
        "partialFingerprints": {"reconcilerProblem/v1": one.fingerprint},
        "locations": [_location(one.source or elsewhere)],
    }


def _location(source: Mapping[str, Json]) -> dict[str, Json]:
    uri = quote(source["file"].removeprefix("./"), errors="replace")
    region = {"startLine": max(source["line"], 1), "startColumn": max(source.get("column") or 1, 1)}
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}


def _left_out(number: int) -> list[dict[str, Json]]:
    if number <= 0:
        return []
    return [{"level": "warning", "message": {"text": f"{number:,} more results are not shown."}}]


def _text(text: str) -> str:
    return escape.terminal(text) or "-"  # code scanning takes an empty string for a missing one


def _message(text: str) -> str:
    """A message in which no bracket makes a link."""
    return _text(text).replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
