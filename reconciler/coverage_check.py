"""Runs a coverage check: reads the portal, counts what the specs hold of it, and asks for the limits."""

from datetime import datetime

from reconciler import coverage, ignore, report, upkeep
from reconciler.baseline import Baseline
from reconciler.drift_check import nothing_read
from reconciler.model import Json
from reconciler.observe import ListSource
from reconciler.receipts import own_writes
from reconciler.spec import Spec
from reconciler.workspace import Workspace


def document(workspace: Workspace, spec: Spec | None, source: ListSource, now: datetime) -> dict[str, Json]:
    """The coverage of a portal with its limits, as a document; no baseline is needed."""
    portal_id = workspace.check_identity(source)
    observation = workspace.observe(source, workspace.scope(spec, baselined=True))
    known, today = workspace.baseline or Baseline(), now.date()
    ignored = ignore.in_force(workspace.settings.ignore, today)
    held = coverage.measured(observation, spec.desired if spec else known.managed, ignored)
    unread = own_writes(workspace.receipts, now, portal_id).unread
    return report.finished(
        {
            **report.header("coverage", workspace.portal_json(portal_id), now),
            "complete": observation.complete,
            "reads": report.reads_json(observation.collections),
            "coverage": {**held, **coverage.limits(source, workspace.api)},
            "findings": [
                one.as_json() for one in upkeep.findings(workspace, observation, known.snapshot, today, unread)
            ],
            "errors": nothing_read(observation),
        }
    )
