"""Problems as a code-quality report of GitLab, which a merge request shows beside the lines, without any token."""

import json
from collections.abc import Mapping
from pathlib import PurePosixPath

from reconciler.model import Json
from reconciler.render import escape
from reconciler.render.problems import Problem, problems
from reconciler.render.style import Style
from reconciler.render.words import Document

SEVERITIES = {"error": "major", "warning": "minor", "note": "info"}


def render(document: Document, style: Style) -> str:
    """A list with an entry a problem; two that say the same of the same place are one, as GitLab would drop one."""
    elsewhere = _somewhere(document)
    entries = {one.fingerprint: _entry(one, elsewhere) for one in reversed(problems(document))}
    shown = list(reversed(entries.values()))
    return escape.json_text(json.dumps(shown, ensure_ascii=False, indent=1)) + "\n"


def _entry(one: Problem, elsewhere: str) -> Mapping[str, Json]:
    source = one.source or {"file": elsewhere, "line": 1}
    return {
        "description": escape.terminal(one.text),
        "check_name": escape.terminal(one.rule),
        "fingerprint": one.fingerprint,
        "severity": "critical" if one.rule == "guard-destructive" else SEVERITIES[one.level],
        "location": {"path": escape.terminal(source["file"]), "lines": {"begin": max(source["line"], 1)}},
    }


def _somewhere(document: Document) -> str:
    """The file that stands for a problem without a place, which GitLab does not know: the settings of these specs."""
    files = [file["path"] for file in (document.get("spec") or {}).get("files", ())]
    folder = PurePosixPath(files[0]).parts[0] if files else "specs"
    return f"{folder}/reconciler.yaml"
