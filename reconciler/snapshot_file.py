"""Recorded reads: the portal's own list answers in a file, to work on instead of the network."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from reconciler.errors import UsageError
from reconciler.model import NOT_READ, Answer, Json, Reads
from reconciler.paths import undated
from reconciler.read_list import is_list
from reconciler.report import FORMAT_VERSION, check_version, stamp
from reconciler.trouble import a_whole_list, an_object


class RecordedRead(NamedTuple):
    """A file of list answers; what is not in it counts as not read."""

    answers: Mapping[str, Json]  # by path in its undated form, so that the API version does not matter
    taken_at: str = ""

    def get_all(self, paths: Sequence[str]) -> dict[str, Answer]:
        """The recorded answers to these paths."""
        return {path: self.get(path) for path in paths}

    def get(self, path: str) -> Answer:
        """The recorded answer to one path."""
        key = undated(path)
        return Answer(200, self.answers[key]) if key in self.answers else Answer(NOT_READ)

    def ask(self, _path: str, _body: Json) -> Answer:
        """Nothing that has to be asked is recorded."""
        return Answer(NOT_READ)

    @property
    def object_types(self) -> tuple[str, ...]:
        """The object types whose properties were recorded."""
        heads = [path.removeprefix("/crm/v3/properties/") for path in self.answers if "/crm/v3/properties/" in path]
        return tuple(sorted({head.split("?")[0].split("/")[0] for head in heads}))


def load(file: Path) -> RecordedRead:
    """A recorded read from its file."""
    where = str(file)
    try:
        document = json.loads(file.read_bytes())
    except OSError as error:
        raise UsageError(f"cannot read {where}: {error.strerror}", where=where) from error
    except (ValueError, RecursionError) as error:
        from reconciler.wording import not_json

        hint = "record one with `reconciler snapshot FILE`"
        raise UsageError(f"{where} {not_json(error)}", where=where, hint=hint) from error
    check_version(document, where, "reconciler snapshot FILE")
    responses = document.get("responses")
    if not isinstance(responses, dict):
        raise UsageError(f"{where} has no `responses`", where=where, hint="record one with `reconciler snapshot FILE`")
    for path, body in responses.items():
        if wrong := _unbelievable(path, body):
            hint = "record it again, whole; do not record error answers"
            raise UsageError(f"{where}: {path} is not an answer of HubSpot, but {wrong}", where=where, hint=hint)
    return RecordedRead({undated(path): body for path, body in responses.items()}, document.get("takenAt", ""))


def _unbelievable(path: str, body: Json) -> str:
    """What is wrong with a recorded answer, by the same rules as for one that comes from HubSpot."""
    if wrong := (a_whole_list if is_list(path) else an_object)(200, body):
        return wrong
    details = "/account-info/" in path and path.endswith("/details")
    return "something without a portalId" if details and "portalId" not in body else ""


def document_of(reads: Reads, account: Mapping[str, Json] | None, account_path: str, now: datetime) -> dict[str, Json]:
    """What a recorded read looks like in a file: only answers that can be believed."""
    responses = {path: answer.body for path, answer in sorted(reads.items()) if answer.ok}
    if account is not None:
        responses[account_path] = dict(account)
    return {"formatVersion": FORMAT_VERSION, "takenAt": stamp(now), "responses": responses}
