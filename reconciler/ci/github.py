"""GitHub: one comment for each portal, statuses, a check run that carries the digest, one issue for drift."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from reconciler.ci import comment, issue, local, marks
from reconciler.ci.api import Api
from reconciler.ci.baseline_back import TRIES
from reconciler.ci.desk import Desk, Result, Results
from reconciler.ci.issue import Entry
from reconciler.errors import BlockedError, HostRefused
from reconciler.git import Moved
from reconciler.model import Json
from reconciler.render import escape
from reconciler.render.budget import LIMITS, is_whole
from reconciler.render.style import Origin
from reconciler.render.summaries import summary
from reconciler.render.words import clip, counted, refused

COMMIT = 40  # signs of a commit's full id, which people write with seven
DESCRIPTION = 140  # signs of a commit status
CHECK = LIMITS["github"]  # bytes of a check run's own page
APP = "github-actions"  # whose check runs count as an approval
EXTERNAL = "hubspot-reconciler/1"


@dataclass(frozen=True, slots=True)
class GitHub:
    """The surfaces of a run on GitHub."""

    desk: Desk

    @property
    def api(self) -> Api:
        """The host."""
        assert self.desk.api is not None
        return self.desk.api

    @property
    def repository(self) -> str:
        """The repository as the API addresses it."""
        return f"/repos/{self.desk.place.repository}"

    # --- a pull request ----------------------------------------------------------------------------------------------

    def plan(self, results: Results, when: comment.When) -> None:
        """The comment, both statuses and the check run of every portal."""
        for result in results:
            if self.desk.place.pull_request:
                self._attempt("the comment", "pull-requests: write", self._comment, result, "plan", when)
            if self.desk.place.commit:
                self._attempt("the commit status", "statuses: write", self._statuses, result)
                self._attempt("the check run", "checks: write", self._check, result, longest_page(self.desk, results))

    def _attempt(self, what: str, permission: str, do: Callable[..., None], *given: Json) -> bool:
        return self.desk.attempt(what, permission, lambda: do(*given))

    def _comment(self, result: Result, what: str, when: comment.When) -> None:
        wanted = marks.Mark(what, result.key, marks.told(result.document))
        listing = f"{self.repository}/issues/{self.desk.place.pull_request}/comments"
        there = next(self.ours(self.api.items(listing), wanted), None) if when != "never" else None
        text = comment.body(result.document, wanted, self.desk.place.origin)
        mark = marks.find(there["body"]) if there else None
        match comment.step(mark, wanted, comment.speaks(result.document), when):
            case "create":
                self.write("POST", listing, text)
            case "update":
                assert there is not None
                path = f"{self.repository}/issues/comments/{there['id']}"
                if not self.replace(path, text, wanted):
                    self.write("POST", listing, text)
                    self.api.send("DELETE", path)
                    self.desk.warn("GitHub took the new comment and kept the old text; the comment was made anew")
            case "keep" | "nothing":
                pass

    def ours(self, entries: Sequence[Json], wanted: marks.Mark) -> Iterator[Json]:
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
            return bool(user.get("login") == self.api.get("/user").get("login"))
        except HostRefused:
            return False  # the token of a workflow is nobody's, and writes as a bot

    def write(self, method: str, path: str, text: Callable[[int], str], more: Mapping[str, Json] | None = None) -> Json:
        """Writes a text, a shorter one where GitHub says that it is too long."""
        for limit in comment.LADDER:
            try:
                return self.api.send(method, path, {**(more or {}), "body": text(limit)})
            except HostRefused as error:
                if error.status != 422 or limit == comment.LADDER[-1]:
                    raise
        raise AssertionError("the ladder has an end")

    def replace(self, path: str, text: Callable[[int], str], wanted: marks.Mark) -> bool:
        """Whether a text was replaced; GitHub has been seen to answer 200 and keep the old one where it is too long."""
        for limit in comment.LADDER:
            self.write("PATCH", path, lambda most, limit=limit: text(min(most, limit)))  # type: ignore[misc]
            if marks.find(self.api.get(path).get("body")) == wanted:
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
        self.api.send("POST", f"{self.repository}/statuses/{place.commit}", {**body, **target})

    def _check(self, result: Result, page: int) -> None:
        """The check run; its external id is the approval that ``ci apply`` looks for after the merge."""
        place, document = self.desk.place, result.document
        conclusion = "failure" if result.failed else "neutral" if stopped(document) else "success"
        name = f"HubSpot plan: {result.label}"
        told = f"{EXTERNAL} {result.key} {document.get('digest')}"
        approval = {"external_id": told} if approvable(result, place.origin, page) else {}
        shown = comment.fitted(document, CHECK, place.origin)
        said = {"title": clip(escape.terminal(summary(document)), 200), "summary": shown}
        body = {"name": name, "head_sha": place.commit, "status": "completed", "conclusion": conclusion, **approval}
        target = {"details_url": place.run_url} if place.run_url else {}
        self.api.send("POST", f"{self.repository}/check-runs", {**body, **target, "output": said})

    @property
    def tracker(self) -> "GitHubIssues":
        """Where drift is kept."""
        return GitHubIssues(self)

    @property
    def forge(self) -> "GitHubForge":
        """Where the baseline is kept."""
        return GitHubForge(self.api, self.desk.place.repository, self.desk.place.branch)

    # --- approval ----------------------------------------------------------------------------------------------------

    def approved(self, label: str, key: str) -> str:
        """The digest of the plan that was reviewed before this commit was merged, from the check run of its head."""
        place = self.desk.place
        pulls = self.api.items(f"{self.repository}/commits/{place.commit}/pulls")
        heads = [pull["head"]["sha"] for pull in pulls if pull.get("merge_commit_sha") == place.commit]
        for head in heads:
            query = f"check_name={quote(f'HubSpot plan: {label}', safe='')}&filter=latest"
            runs = self.api.items(f"{self.repository}/commits/{head}/check-runs?{query}")
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


def longest_page(desk: Desk, results: Results) -> int:
    """The bytes of the page that shows most of a plan: its share of the job's summary, or the check run itself."""
    return max(local.summary_share(results), CHECK) if desk.place.summary_file else CHECK


def approvable(result: Result, origin: Origin, page: int) -> bool:
    """Whether a page of so many bytes shows the whole of a sound plan: what nobody could read, nobody approved."""
    if result.failed or not result.document.get("digest") or result.document.get("comparison"):
        return False
    return is_whole(comment.fitted(result.document, page, origin))


def approval_in(run: Mapping[str, Json], key: str) -> str:
    """The digest that a check run carries for a portal and directory; none where it carries something else."""
    parts = str(run.get("external_id") or "").split(" ")
    return parts[2] if len(parts) == 3 and parts[:2] == [EXTERNAL, key] else ""


# --- issues -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GitHubIssues:
    """One issue for each portal, found by its label and mark."""

    host: GitHub

    def find(self, key: str) -> Entry | None:
        """The issue of a portal: the open one, else the one that was closed last."""
        entries = self.host.api.items(f"{self.host.repository}/issues?labels={issue.LABEL}&state=all")
        issues = [entry for entry in entries if "pull_request" not in entry]
        found = []
        for entry in self.host.ours(issues, marks.Mark(issue.WHAT, key, "")):
            mark = marks.find(entry["body"])
            assert mark is not None
            found.append(Entry(entry["number"], entry["state"] == "open", mark))
        return max(found, key=lambda one: (one.is_open, one.number), default=None)

    def open(self, title: str, text: comment.Text) -> None:
        """Makes it; GitHub makes the label with it."""
        self.host.write("POST", f"{self.host.repository}/issues", text, {"title": title, "labels": [issue.LABEL]})

    def rewrite(self, number: int, text: comment.Text, wanted: marks.Mark, *, reopen: bool) -> None:
        """Replaces what it says, and looks whether GitHub really did."""
        path = f"{self.host.repository}/issues/{number}"
        if reopen:
            self.host.api.send("PATCH", path, {"state": "open"})
        if not self.host.replace(path, text, wanted):
            self.host.desk.warn(
                "GitHub took the new text of the drift issue and kept the old one; see its last comment"
            )
            self.remark(number, text(comment.LADDER[-1]))

    def remark(self, number: int, text: str) -> None:
        """Adds a comment."""
        self.host.api.send("POST", f"{self.host.repository}/issues/{number}/comments", {"body": text})

    def close(self, number: int) -> None:
        """Closes it as done."""
        done = {"state": "closed", "state_reason": "completed"}
        self.host.api.send("PATCH", f"{self.host.repository}/issues/{number}", done)


# --- commits and pull requests ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GitHubForge:
    """Commits and pull requests through GitHub's API: no credentials have to lie in the checkout."""

    api: Api
    repository: str  # owner/name
    base: str  # the branch that pull requests go into

    @property
    def _git(self) -> str:
        return f"/repos/{self.repository}/git"

    def commit(self, branch: str, moved: Sequence[Moved], message: str) -> None:
        """Puts files onto the end of a branch, whoever else puts something there."""
        for attempt in range(TRIES):
            head = self._head(branch)
            try:
                sha = self._commit(head, moved, message)
                if sha != head:
                    self.api.send("PATCH", f"{self._git}/refs/heads/{branch}", {"sha": sha, "force": False})
                return
            except HostRefused as error:
                if error.status != 422 or attempt == TRIES - 1:
                    raise  # of the rest, 422 says that the branch moved meanwhile

    def propose(
        self, branch: str, moved: Sequence[Moved], message: str, text: comment.Text, wanted: marks.Mark
    ) -> None:
        """A pull request with these files, made or brought up to date."""
        sha = self._commit(self._head(self.base), moved, message)
        there = self._pull(branch)
        if there and marks.find(there["body"]) == wanted:
            return
        try:
            self.api.send("POST", f"{self._git}/refs", {"ref": f"refs/heads/{branch}", "sha": sha})
        except HostRefused as error:
            if error.status != 422:
                raise
            self.api.send("PATCH", f"{self._git}/refs/heads/{branch}", {"sha": sha, "force": True})
        pulls = f"/repos/{self.repository}/pulls"
        if there:
            self.api.send("PATCH", f"{pulls}/{there['number']}", {"body": text(comment.LADDER[0])})
        else:
            title = message.partition("\n")[0]
            about = {"title": title, "head": branch, "base": self.base, "body": text(comment.LADDER[0])}
            self.api.send("POST", pulls, about)

    def withdraw(self, branch: str, note: str) -> None:
        """Closes the pull request of a branch, where there is one."""
        if there := self._pull(branch):
            repository = f"/repos/{self.repository}"
            self.api.send("POST", f"{repository}/issues/{there['number']}/comments", {"body": note})
            self.api.send("PATCH", f"{repository}/pulls/{there['number']}", {"state": "closed"})

    def _head(self, branch: str) -> str:
        sha: str = self.api.get(f"{self._git}/ref/heads/{branch}").get("object", {}).get("sha", "")
        return sha

    def _commit(self, parent: str, moved: Sequence[Moved], message: str) -> str:
        """A commit on top of another one; that one itself where nothing would change."""
        tree = self.api.get(f"{self._git}/commits/{parent}").get("tree", {}).get("sha", "")
        made = self.api.send("POST", f"{self._git}/trees", {"base_tree": tree, "tree": list(map(_entry, moved))})
        if made.get("sha") == tree:
            return parent
        body = {"message": message, "tree": made.get("sha", ""), "parents": [parent]}
        sha: str = self.api.send("POST", f"{self._git}/commits", body).get("sha", "")
        return sha

    def _pull(self, branch: str) -> Json:
        owner = self.repository.partition("/")[0]
        query = f"state=open&head={quote(f'{owner}:{branch}', safe='')}&base={quote(self.base, safe='')}"
        return next(iter(self.api.items(f"/repos/{self.repository}/pulls?{query}")), None)


def _entry(moved: Moved) -> dict[str, Json]:
    head = {"path": moved.path, "mode": "100644", "type": "blob"}
    return {**head, "sha": None} if moved.text is None else {**head, "content": moved.text}
