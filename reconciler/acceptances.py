"""Who accepted what, when and why: a file of JSON lines beside the baseline, a line for each finding.

The baseline says what is accepted, and `git diff` of it what that changed; this says whose decision it was, whichever
command it was taken with: ``accept`` and ``adopt`` of findings, ``import`` of definitions, ``apply`` of the changes of
a plan. Nothing depends on it but what people are told.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from reconciler import json_lines
from reconciler.address import any_covers
from reconciler.baseline import STAGES
from reconciler.errors import UsageError
from reconciler.model import Json

FILE = "acceptances.jsonl"
CONSENT = ("at", "by", "reason", "until")

Acceptance = Mapping[str, Json]


def added(directory: Path, findings: Iterable[Mapping[str, Json]], consent: Mapping[str, Json]) -> dict[Path, bytes]:
    """The file once it says that somebody accepted findings, or the addresses of a first baseline."""
    given = {name: consent[name] for name in CONSENT if consent.get(name)}
    records = [{**given, **finding} for finding in findings]
    return {directory / FILE: json_lines.with_more(directory / FILE, records)} if records else {}


def patterns(lists: Iterable[str]) -> list[str]:
    """What leads to all that is in these lists; stages lie in both lifecycles."""
    return sorted({f"{STAGES}/*" if name.startswith(STAGES) else f"{name}/*" for name in lists})


def load(directory: Path) -> list[Acceptance]:
    """All that was accepted in a portal, oldest first."""
    return list(_parsed(directory / FILE))


def _parsed(path: Path) -> Iterator[Acceptance]:
    for number, line in json_lines.lines(path):
        try:
            record = json.loads(line)
            _ = str.strip(record["at"]), str.strip(record["address"]), record.get("fingerprint")
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            hint = f"restore it with `git checkout -- {path}`, or delete the line"
            message = f"line {number} of {path} does not say what was accepted"
            raise UsageError(message, where=f"{path}:{number}", hint=hint) from error
        yield record


def of_address(records: Sequence[Acceptance], address: str) -> list[Acceptance]:
    """What was accepted of a definition since it was there, oldest first."""
    found: list[Acceptance] = []
    for one in records:
        if any_covers([one["address"]], address):
            new = str(one.get("class")).endswith(".added") or one.get("action") == "create"
            found = [one] if new else [*found, one]
    return found


def for_good(records: Iterable[Acceptance]) -> dict[str, Acceptance]:
    """The last consent by fingerprint, of what moved the baseline."""
    return {
        one["fingerprint"]: {name: one[name] for name in CONSENT if name in one}
        for one in records
        if one.get("fingerprint") and "until" not in one
    }
