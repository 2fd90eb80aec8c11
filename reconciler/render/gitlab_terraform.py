"""A plan as the report that GitLab's merge-request widget for Terraform shows: three counts, and a link to the job."""

import json

from reconciler.errors import UsageError
from reconciler.render.style import Style
from reconciler.render.summaries import totals
from reconciler.render.words import WRITTEN, Document

KINDS = ("plan", "apply")


def render(document: Document, style: Style) -> str:
    """How many definitions are created (or restored), updated and deleted; of an apply what really was."""
    if document.get("kind") not in KINDS:
        told = f"gitlab-terraform shows a plan or an apply, not {document.get('kind')}"
        raise UsageError(told, hint="use gitlab-codequality or junit")
    return json.dumps(counts(document)) + "\n"


def counts(document: Document) -> dict[str, int]:
    """Created, updated and deleted definitions; none of a document that tells of no changes."""
    found = totals({**document, "changes": [change for change in document.get("changes", ()) if _counts(change)]})
    return {"create": found["create"] + found["restore"], "update": found["update"], "delete": found["archive"]}


def _counts(change: dict[str, object]) -> bool:
    return "outcome" not in change or change["outcome"] in WRITTEN
