"""GitHub: one comment for each portal, statuses, a check run that carries the digest, one issue for drift."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from reconciler.ci import comment, marks
from reconciler.ci.api import Api
from reconciler.ci.desk import Desk, Result, Results
from reconciler.errors import BlockedError, HostRefused
from reconciler.model import Json
from reconciler.render import escape
from reconciler.render.summaries import summary
from reconciler.render.words import clip, counted, refused

COMMIT = 40  # signs of a commit's full id, which people write with seven
DESCRIPTION = 140  # signs of a commit status
APP = "github-actions"  # whose check runs count as an approval
EXTERNAL = "hubspot-reconciler/1"


@dataclass(frozen=True, slots=True)
class GitHub:
    """The surfaces of a run on GitHub."""

    desk: Desk

    @property
    def _api(self) -> Api:
        assert self.desk.api is not None
        return self.desk.api

    @property
    def _repository(self) -> str:
        return f"/repos/{self.desk.place.repository}"

    # --- a pull request ----------------------------------------------------------------------------------------------

    def plan(self, results: Results, when: comment.When) -> None:
        """The comment, both statuses and the check run of every portal."""
        for result in results:
            if self.desk.place.pull_request:
                self._attempt("the comment", "pull-requests: write", self._comment, result, "plan", when)
            if self.desk.place.commit:
                self._attempt("the commit status", "statuses: write", self._statuses, result)
                self._attempt("the check run", "checks: write", self._check, result)

    def _attempt(self, what: str, permission: str, do: Callable[..., None], *given: Json) -> bool:
        return self.desk.attempt(what, permission, lambda: do(*given))

    def _comment(self, result: Result, what: str, when: comment.When) -> None:
        wanted = marks.Mark(what, result.key, marks.told(result.document))
        listing = f"{self._repository}/issues/{self.desk.place.pull_request}/comments"
        there = next(self._ours(self._api.items(listing), wanted), None) if when != "never" else None
        text = comment.body(result.document, wanted)
        mark = marks.find(there["body"]) if there else None
        match comment.step(mark, wanted, comment.speaks(result.document), when):
            case "create":
                self._write("POST", listing, text)
            case "update":
                assert there is not None
                path = f"{self._repository}/issues/comments/{there['id']}"
                if not self._replace(path, text, wanted):
                    self._write("POST", listing, text)
                    self._api.send("DELETE", path)
                    self.desk.warn("GitHub took the new comment and kept the old text; the comment was made anew")
            case "keep" | "nothing":
                pass

    def _ours(self, entries: Sequence[Json], wanted: marks.Mark) -> Iterator[Json]:
        """Entries with our mark that we wrote: anybody who may comment can copy the mark."""
        for entry in entries:
            mark = marks.find(entry.get("body"))
            if mark and (mark.what, mark.key) == (wanted.what, wanted.key) and self._written_by_us(entry):
                yield entry

    def _written_by_us(self, entry: Json) -> bool:
        user = entry.get("user") or {}
        if user.get("type") == "Bot":
            return True
        try:
            return bool(user.get("login") == self._api.get("/user").get("login"))
        except HostRefused:
            return False  # the token of a workflow is nobody's, and writes as a bot

    def _write(
        self, method: str, path: str, text: Callable[[int], str], more: Mapping[str, Json] | None = None
    ) -> Json:
        """Writes a text, a shorter one where GitHub says that it is too long."""
        for limit in comment.LADDER:
            try:
                return self._api.send(method, path, {**(more or {}), "body": text(limit)})
            except HostRefused as error:
                if error.status != 422 or limit == comment.LADDER[-1]:
                    raise
        raise AssertionError("the ladder has an end")

    def _replace(self, path: str, text: Callable[[int], str], wanted: marks.Mark) -> bool:
        """Whether a text was replaced; GitHub has been seen to answer 200 and keep the old one where it is too long."""
        for limit in comment.LADDER:
            self._write("PATCH", path, lambda most, limit=limit: text(min(most, limit)))  # type: ignore[misc]
            if marks.find(self._api.get(path).get("body")) == wanted:
                return True
        return False

    def _statuses(self, result: Result) -> None:
        state = "error" if result.failed else "failure" if stopped(result.document) else "success"
        self._status(f"HubSpot plan: {result.label}", state, summary(result.document))
        if result.behind is not None:
            differ = counted(result.behind, "definition differs", "definitions differ")
            base = result.base[:7] if len(result.base) == COMMIT else result.base
            told = f"live: {differ} from {base}" if result.behind else f"live already matches {base}"
            self._status(f"HubSpot live: {result.label}", "failure" if result.behind else "success", told)

    def _status(self, context: str, state: str, description: str) -> None:
        place = self.desk.place
        body = {"state": state, "context": context, "description": clip(escape.terminal(description), DESCRIPTION)}
        target = {"target_url": place.run_url} if place.run_url else {}
        self._api.send("POST", f"{self._repository}/statuses/{place.commit}", {**body, **target})

    def _check(self, result: Result) -> None:
        """The check run; its external id is the approval that ``ci apply`` looks for after the merge."""
        place, document = self.desk.place, result.document
        conclusion = "failure" if result.failed else "neutral" if stopped(document) else "success"
        name = f"HubSpot plan: {result.label}"
        approval = {} if result.failed else {"external_id": f"{EXTERNAL} {result.key} {document['digest']}"}
        said = {"title": clip(escape.terminal(summary(document)), 200), "summary": comment.fitted(document, 60_000)}
        body = {"name": name, "head_sha": place.commit, "status": "completed", "conclusion": conclusion, **approval}
        target = {"details_url": place.run_url} if place.run_url else {}
        self._api.send("POST", f"{self._repository}/check-runs", {**body, **target, "output": said})

    # --- approval ----------------------------------------------------------------------------------------------------

    def approved(self, label: str, key: str) -> str:
        """The digest of the plan that was reviewed before this commit was merged, from the check run of its head."""
        place = self.desk.place
        pulls = self._api.items(f"{self._repository}/commits/{place.commit}/pulls")
        heads = [pull["head"]["sha"] for pull in pulls if pull.get("merge_commit_sha") == place.commit]
        for head in heads:
            query = f"check_name={quote(f'HubSpot plan: {label}', safe='')}&filter=latest"
            runs = self._api.items(f"{self._repository}/commits/{head}/check-runs?{query}")
            said = [run for run in runs if (run.get("app") or {}).get("slug") == APP and approval_in(run, key)]
            if said:
                return approval_in(max(said, key=lambda run: run["id"]), key)
        what = f"commit {heads[0][:7]}, which was reviewed," if heads else f"commit {place.short_commit}"
        hint = "plan in the pull request first, or apply what was reviewed with --require-digest"
        raise BlockedError(f"{what} has no check run with a reviewed plan of {label}", hint=hint)


def stopped(document: Mapping[str, Json]) -> bool:
    """Whether an apply would be refused although the plan was approved; a consent to destruction is the approval."""
    changes = document.get("changes", ())
    guards = [*refused(document), *(guard for change in changes for guard in refused(change))]
    lasting = any(guard["rule"] != "destructive" for guard in guards)
    return lasting or document["exit"]["name"] in ("blocked", "stale")


def approval_in(run: Mapping[str, Json], key: str) -> str:
    """The digest that a check run carries for a portal and directory; none where it carries something else."""
    parts = str(run.get("external_id") or "").split(" ")
    return parts[2] if len(parts) == 3 and parts[:2] == [EXTERNAL, key] else ""
