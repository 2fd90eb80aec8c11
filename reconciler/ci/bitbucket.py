"""Bitbucket: a Code Insights report with annotations; inside a pipeline it needs no token."""

from dataclasses import dataclass
from urllib.parse import quote

from reconciler.ci import comment, remarks
from reconciler.ci.api import Api
from reconciler.ci.desk import Desk, Result, Results
from reconciler.errors import HostRefused
from reconciler.model import Json
from reconciler.render import escape
from reconciler.render.summaries import summary
from reconciler.render.words import clip

DETAILS = 2000  # signs
AT_ONCE = 100  # annotations in one call
MOST = 1000  # annotations of one report


@dataclass(frozen=True, slots=True)
class Bitbucket:
    """The report of a run on its commit."""

    desk: Desk

    @property
    def _api(self) -> Api:
        assert self.desk.api is not None
        return self.desk.api

    def plan(self, results: Results, when: comment.When) -> None:
        """A report for each portal."""
        for result in results:
            self.desk.attempt("the report", "", lambda result=result: self.report(result))  # type: ignore[misc]

    def report(self, result: Result) -> None:
        """Replaces the report of this portal on the commit."""
        place = self.desk.place
        name = quote(f"hubspot-{result.document['kind']}-{result.key}", safe="")
        path = f"/repositories/{place.repository}/commit/{place.commit}/reports/{name}"
        found = remarks.of(result.document, self.desk.where)
        try:
            self._api.send("DELETE", path)  # also takes the annotations of an earlier run with it
        except HostRefused as error:
            if error.status != 404:
                raise
        self._api.send("PUT", path, self._about(result))
        annotations = remarks.bitbucket(found[:MOST])
        for start in range(0, len(annotations), AT_ONCE):
            self._api.send("POST", f"{path}/annotations", annotations[start : start + AT_ONCE])

    def _about(self, result: Result) -> dict[str, Json]:
        link = {"link": self.desk.place.run_url} if self.desk.place.run_url else {}
        return {
            "title": f"HubSpot {result.document['kind']}: {result.label}",
            "details": clip(escape.terminal(summary(result.document)), DETAILS),
            "report_type": "BUG",
            "reporter": "hubspot-reconciler",
            "result": "FAILED" if result.code else "PASSED",
            **link,
        }
