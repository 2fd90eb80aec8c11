"""GitLab: one note for each portal in a merge request, one issue for drift, commits and merge requests of a baseline.

The widget and the code quality report need no token (``local``); what is here needs one with the scope ``api`` in
``GITLAB_TOKEN``, for the token of a job may write neither notes nor issues.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from reconciler.ci import comment, issue, marks
from reconciler.ci.api import Api
from reconciler.ci.desk import Desk, Result, Results
from reconciler.ci.issue import Entry
from reconciler.git import Moved
from reconciler.model import Json

LONGEST = 900_000  # a note may have 1,000,000 signs
SCOPE = "a project access token with the scope api in GITLAB_TOKEN"


@dataclass(frozen=True, slots=True)
class GitLab:
    """The surfaces of a run on GitLab that need its API."""

    desk: Desk

    @property
    def api(self) -> Api:
        """The host."""
        assert self.desk.api is not None
        return self.desk.api

    @property
    def project(self) -> str:
        """The project as the API addresses it."""
        return f"/projects/{quote(self.desk.place.repository, safe='')}"

    def plan(self, results: Results, when: comment.When) -> None:
        """The note of every portal."""
        for result in results:
            if self.desk.place.pull_request:
                self.desk.attempt("the note", SCOPE, lambda result=result: self._note(result, when))  # type: ignore[misc]

    def _note(self, result: Result, when: comment.When) -> None:
        wanted = marks.Mark("plan", result.key, marks.told(result.document))
        listing = f"{self.project}/merge_requests/{self.desk.place.pull_request}/notes"
        there = next(iter(self._ours(self.api.items(listing), "body", wanted)), None) if when != "never" else None
        mark = marks.find(there["body"]) if there else None
        text = comment.body(result.document, wanted, self.desk.place.origin)
        match comment.step(mark, wanted, comment.speaks(result.document), when):
            case "create":
                self.api.send("POST", listing, {"body": text(LONGEST)})
            case "update":
                assert there is not None
                self.api.send("PUT", f"{listing}/{there['id']}", {"body": text(LONGEST)})
            case "keep" | "nothing":
                pass

    def _ours(self, entries: Sequence[Json], name: str, wanted: marks.Mark) -> list[Json]:
        """Texts with our mark that this token wrote."""
        marked = [(entry, marks.find(entry.get(name))) for entry in entries]
        found = [one for one, mark in marked if mark and (mark.what, mark.key) == (wanted.what, wanted.key)]
        me = self.api.get("/user").get("id") if found else None
        return [entry for entry in found if entry["author"]["id"] == me]

    @property
    def tracker(self) -> "GitLabIssues":
        """Where drift is kept."""
        return GitLabIssues(self)

    @property
    def forge(self) -> "GitLabForge":
        """Where the baseline is kept."""
        return GitLabForge(self.api, self.project, self.desk.place.branch)


@dataclass(frozen=True, slots=True)
class GitLabIssues:
    """One issue for each portal, found by its label and mark."""

    host: GitLab

    def find(self, key: str) -> Entry | None:
        """The issue of a portal: the open one, else the one that was closed last."""
        entries = self.host.api.items(f"{self.host.project}/issues?labels={issue.LABEL}&state=all")
        found = []
        for entry in self.host._ours(entries, "description", marks.Mark(issue.WHAT, key, "")):
            mark = marks.find(entry["description"])
            assert mark is not None
            found.append(Entry(entry["iid"], entry["state"] == "opened", mark))
        return max(found, key=lambda one: (one.is_open, one.number), default=None)

    def open(self, title: str, text: comment.Text) -> None:
        """Makes it."""
        about = {"title": title, "labels": issue.LABEL, "description": text(LONGEST)}
        self.host.api.send("POST", f"{self.host.project}/issues", about)

    def rewrite(self, number: int, text: comment.Text, wanted: marks.Mark, *, reopen: bool) -> None:
        """Replaces what it says."""
        event = {"state_event": "reopen"} if reopen else {}
        self.host.api.send("PUT", f"{self.host.project}/issues/{number}", {"description": text(LONGEST), **event})

    def remark(self, number: int, text: str) -> None:
        """Adds a note."""
        self.host.api.send("POST", f"{self.host.project}/issues/{number}/notes", {"body": text})

    def close(self, number: int) -> None:
        """Closes it."""
        self.host.api.send("PUT", f"{self.host.project}/issues/{number}", {"state_event": "close"})


@dataclass(frozen=True, slots=True)
class GitLabForge:
    """Commits and merge requests through the API."""

    api: Api
    project: str
    base: str

    def commit(self, branch: str, moved: Sequence[Moved], message: str) -> None:
        """Puts files onto the end of a branch; GitLab does that in one step."""
        self.api.send("POST", f"{self.project}/repository/commits", _commit(branch, moved, message))

    def propose(
        self, branch: str, moved: Sequence[Moved], message: str, text: comment.Text, wanted: marks.Mark
    ) -> None:
        """A merge request with these files, made or brought up to date."""
        there = self._request(branch)
        if there and marks.find(there["description"]) == wanted:
            return
        about = {**_commit(branch, moved, message), "start_branch": self.base, "force": True}
        self.api.send("POST", f"{self.project}/repository/commits", about)
        listing = f"{self.project}/merge_requests"
        if there:
            self.api.send("PUT", f"{listing}/{there['iid']}", {"description": text(LONGEST)})
        else:
            title = message.partition("\n")[0]
            ends = {"source_branch": branch, "target_branch": self.base, "remove_source_branch": True}
            self.api.send("POST", listing, {**ends, "title": title, "description": text(LONGEST)})

    def withdraw(self, branch: str, note: str) -> None:
        """Closes the merge request of a branch, where there is one."""
        if there := self._request(branch):
            path = f"{self.project}/merge_requests/{there['iid']}"
            self.api.send("POST", f"{path}/notes", {"body": note})
            self.api.send("PUT", path, {"state_event": "close"})

    def _request(self, branch: str) -> Json:
        query = f"state=opened&source_branch={quote(branch, safe='')}&target_branch={quote(self.base, safe='')}"
        return next(iter(self.api.items(f"{self.project}/merge_requests?{query}")), None)


def _commit(branch: str, moved: Sequence[Moved], message: str) -> dict[str, Json]:
    return {"branch": branch, "commit_message": message, "actions": list(map(_action, moved))}


def _action(moved: Moved) -> dict[str, Json]:
    if moved.text is None:
        return {"action": "delete", "file_path": moved.path}
    return {"action": "update" if moved.tracked else "create", "file_path": moved.path, "content": moved.text}
