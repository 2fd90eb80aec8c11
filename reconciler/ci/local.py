"""What a host reads from the log and from files; it needs no token."""

from reconciler.ci import comment, outputs, remarks
from reconciler.ci.desk import Desk, Results

SUMMARY_BYTES = 900 * 1024  # GitHub drops a summary of more than 1 MiB, and says so only in an annotation


def show(desk: Desk, results: Results, code: int, what: str) -> None:
    """Annotations, the summary of the job, and the outputs of the step, as far as the host has them."""
    found = [remark for result in results for remark in remarks.of(result.document, desk.where)]
    match desk.place.host:
        case "github":
            _github(desk, results, code, found)
        case "azure" | "gitlab" | "bitbucket" | "plain":
            pass


def _github(desk: Desk, results: Results, code: int, found: list[remarks.Remark]) -> None:
    for remark in remarks.worst(found, "the job summary"):
        desk.say(remarks.github(remark))
    if desk.place.summary_file:
        share = SUMMARY_BYTES // len(results)
        desk.append(desk.place.summary_file, "\n".join(comment.fitted(one.document, share) for one in results))
    if desk.place.output_file:
        told = outputs.of({result.portal: result.document for result in results}, code)
        desk.append(desk.place.output_file, outputs.lines(told))
