"""Problems as a code-quality report of GitLab, which a merge request shows beside the lines, without any token."""

import json
from collections.abc import Callable, Mapping

from reconciler.model import Json
from reconciler.render import escape
from reconciler.render.problems import Problem, problems, settings_file
from reconciler.render.style import Style
from reconciler.render.words import Document

SEVERITIES = {"error": "major", "warning": "minor", "note": "info"}


def render(document: Document, style: Style) -> str:
    """A list with an entry a problem."""
    return report(entries(document))


def report(shown: Mapping[str, Mapping[str, Json]]) -> str:
    """The file of a job, of one document or of several."""
    return escape.json_text(json.dumps(list(shown.values()), ensure_ascii=False, indent=1)) + "\n"


def entries(document: Document, where: Callable[[str], str] = str) -> dict[str, Mapping[str, Json]]:
    """The entries by their fingerprint, of which GitLab drops a second; ``where`` makes a path the repository's."""
    elsewhere = settings_file(document)
    found = {one.fingerprint: _entry(one, elsewhere, where) for one in reversed(problems(document))}
    return dict(reversed(found.items()))


def _entry(one: Problem, elsewhere: str, where: Callable[[str], str]) -> Mapping[str, Json]:
    source = one.source or {"file": elsewhere, "line": 1}
    return {
        "description": escape.terminal(one.text),
        "check_name": escape.terminal(one.rule),
        "fingerprint": one.fingerprint,
        "severity": "critical" if one.rule == "guard-destructive" else SEVERITIES[one.level],
        "location": {"path": escape.terminal(where(source["file"])), "lines": {"begin": max(source["line"], 1)}},
    }
