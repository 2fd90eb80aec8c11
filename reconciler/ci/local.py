"""What a host reads from the log and from files; it needs no token."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from reconciler.ci import comment, outputs, remarks
from reconciler.ci.desk import Desk, Results
from reconciler.errors import ExitCode
from reconciler.model import Json
from reconciler.render import gitlab_codequality, gitlab_terraform
from reconciler.render.budget import LIMITS
from reconciler.render.escape import terminal

SUMMARY = Path("hubspot-summary.md")
TERRAFORM = Path("hubspot-terraform.json")
CODE_QUALITY = Path("hubspot-codequality.json")


def show(desk: Desk, results: Results, code: int) -> None:
    """Annotations, the summary of the job, and the outputs of the step, as far as the host has them."""
    found = [remark for result in results for remark in remarks.of(result.document, desk.where)]
    told = outputs.of({result.portal: result.document for result in results}, code)
    match desk.place.host:
        case "github":
            _github(desk, results, found, told)
        case "azure":
            _azure(desk, results, found, told, code)
        case "gitlab":
            _gitlab(desk, results)
        case "bitbucket" | "plain":
            pass


def _gitlab(desk: Desk, results: Results) -> None:
    """The same reports that `-o` writes, over all portals of the run."""
    counts: Counter[str] = Counter()
    entries: dict[str, Mapping[str, Json]] = {}
    for result in results:
        counts.update(gitlab_terraform.counts(result.document))
        entries |= gitlab_codequality.entries(result.document, desk.where)
    desk.attempt("the widget", "", lambda: desk.replace(TERRAFORM, json.dumps(counts) + "\n"))
    report = gitlab_codequality.report(entries)
    desk.attempt("the code quality report", "", lambda: desk.replace(CODE_QUALITY, report))


def summary_share(results: Results) -> int:
    """The bytes that each portal has in the summary of a job."""
    return LIMITS["github-summary"] // len(results)


def _summary(desk: Desk, results: Results) -> str:
    share = summary_share(results)
    return "\n".join(comment.fitted(result.document, share, desk.place.origin) for result in results)


def _github(desk: Desk, results: Results, found: Sequence[remarks.Remark], told: dict[str, str]) -> None:
    for remark in remarks.worst(found, "the job summary"):
        desk.say(remarks.github(remark))
    if summary := desk.place.summary_file:
        desk.attempt("the summary of the job", "", lambda: desk.append(summary, _summary(desk, results)))
    if output := desk.place.output_file:
        desk.attempt("the output of the step", "", lambda: desk.append(output, outputs.lines(told)))


def _azure(desk: Desk, results: Results, found: Sequence[remarks.Remark], told: dict[str, str], code: int) -> None:
    """Azure reads everything from the log; a step that ends well with drift in it succeeds with issues."""
    for remark in remarks.worst(found, "the summary"):
        desk.say(remarks.azure(remark))
    if desk.attempt("the summary", "", lambda: desk.replace(SUMMARY, _summary(desk, results))):
        desk.say(f"##vso[task.uploadsummary]{terminal(str(SUMMARY.resolve()))}")
    for name, value in told.items():
        desk.say(f"##vso[task.setvariable variable=hubspot_{name.replace('-', '_')};isOutput=true]{terminal(value)}")
    if any(result.code == ExitCode.DIFFERENCES for result in results):
        desk.say("##vso[task.complete result=SucceededWithIssues;]HubSpot moved")
