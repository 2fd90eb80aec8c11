"""One run for some portals on a host: the documents, and where each is told."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from reconciler import git, notify, report, spec, transitions
from reconciler.approval import read_json
from reconciler.ci import baseline_back, comment, issue, marks, runs
from reconciler.ci.baseline_back import Back, Forge
from reconciler.ci.bitbucket import Bitbucket
from reconciler.ci.desk import Desk, Result
from reconciler.ci.github import GitHub
from reconciler.ci.gitlab import GitLab
from reconciler.ci.issue import Entry
from reconciler.document_schemas import saved_plan
from reconciler.errors import BlockedError, ReconcilerError, UnavailableError, UsageError
from reconciler.exclusion import exclusive
from reconciler.planning import Wishes
from reconciler.selection import Sought
from reconciler.transitions import Memory, Transition
from reconciler.workspace import Workspace

Host = GitHub | GitLab | Bitbucket
Report = Literal["issue", "pull-request", "none"]
ISSUES = "issues: write"
KEEP = "keep it in the pull request with `reconciler ci plan --documents DIR`"


@dataclass(frozen=True, slots=True)
class Approval:
    """How it is known which plan was reviewed; of nothing, the host is asked."""

    digest: str = ""
    path: Path | None = None  # a kept plan, or a directory of them
    none: bool = False

    def read(self, portal: str) -> str:
        """The digest of the kept plan of a portal."""
        assert self.path is not None
        file = self.path / f"plan-{portal}.json" if self.path.is_dir() else self.path
        try:
            document = report.check_version(read_json(file), str(file))
        except UsageError as error:
            raise UsageError(str(error), where=str(file), hint=KEEP) from error
        named = document.get("portal")
        about = named.get("name") if isinstance(named, Mapping) else None
        if document.get("kind") != "plan" or document.get("errors") or about != portal:
            raise BlockedError(f"{file} is no plan of {portal} that anybody could approve", where=str(file))
        if problem := spec.first_problem(document, saved_plan()):
            raise UsageError(f"{file} is no reviewed plan: {problem}", where=str(file), hint=KEEP)
        digest: str = document["digest"]
        return digest


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where transitions are posted; the address is a secret."""

    url: str
    form: notify.Format


@dataclass(frozen=True, slots=True)
class Stage:
    """What a run works with."""

    desk: Desk
    host: Host | None  # what needs the host's API
    now: Callable[[], datetime]
    rehearses: bool
    sought: Sought = field(default_factory=Sought)

    def result(
        self,
        workspace: Workspace,
        document: runs.Document,
        only: Sequence[str],
        behind: int | None = None,
        base: str = "",
    ) -> Result:
        """A document with the portal, the directory and the part that it is about."""
        directory = runs.directory_named(workspace.directory, self.desk.place.checkout)
        return Result(workspace.portal.name, directory, document, behind, base, only)

    def with_unknown(self, results: Sequence[Result]) -> list[Result]:
        """The results once more; where `--only` names nothing in any portal, each of them says so."""
        errors = [report.error_json(one.code, str(one), hint=one.hint) for one in self.sought.errors]
        return [replace(one, document=report.with_errors(one.document, errors)) if errors else one for one in results]

    # --- plan --------------------------------------------------------------------------------------------------------

    def planned(self, workspace: Workspace, wishes: Wishes, base: str) -> Result:
        """The plan of one portal, and how far live is from the base branch."""
        if self.desk.place.fork and base and not workspace.token:
            return self.result(workspace, self._compared(workspace, base), wishes.only)
        made: list[runs.Planned] = []

        def run() -> runs.Document:
            made.append(runs.plan(workspace, wishes, self.now(), self.sought))
            return made[0].document

        document = runs.caught("plan", workspace.portal.name, self.now(), run)
        behind = self._behind(made[0], base, workspace, wishes.only) if base and made and made[0].situation else None
        return self.result(workspace, document, wishes.only, behind, base)

    def _compared(self, workspace: Workspace, base: str) -> runs.Document:
        """What the pull request of a fork changes in the specs: it is given no secret to look at a portal with."""
        self.desk.warn("a fork's pull request has no token: its specs are compared with those of the base branch")
        return runs.caught(
            "plan", workspace.portal.name, self.now(), lambda: runs.compared(workspace, base, self.now())
        )

    def _behind(self, planned: runs.Planned, base: str, workspace: Workspace, only: tuple[str, ...]) -> int | None:
        assert planned.situation is not None
        try:
            return runs.behind(planned.situation, git.commit_of(base, workspace.directory), only)
        except ReconcilerError as error:
            told = f"{error}; {error.hint}" if error.hint else str(error)
            self.desk.warn(f"whether live matches the base branch is not known: {told}")
            return None

    # --- apply -------------------------------------------------------------------------------------------------------

    def applied(self, workspace: Workspace, wishes: Wishes, approval: Approval, cancelled: runs.Cancelled) -> Result:
        """Plans again, asks for the approval, and carries the plan out; begins nothing once somebody wants an end."""

        def run() -> runs.Document:
            with exclusive(workspace):
                with runs.breakable(cancelled):
                    planned = runs.plan(workspace, wishes, self.now(), self.sought)
                    if planned.situation is None or planned.document["exit"]["code"]:
                        return planned.document
                    asked = runs.writes(planned) and not approval.none
                    digest = self._approved(workspace, approval, wishes.only) if asked else ""
                if self.rehearses:
                    return planned.document
                return runs.apply(planned.situation, wishes._replace(require_digest=digest), cancelled, self.now)

        name = workspace.portal.name
        if cancelled.name:
            told = report.error_json(cancelled.name, f"the run was {cancelled.name} before this portal was begun")
            return self.result(workspace, runs.ended("apply", name, self.now(), told), wishes.only)
        return self.result(workspace, runs.caught("apply", name, self.now(), run), wishes.only)

    def _approved(self, workspace: Workspace, approval: Approval, only: Sequence[str]) -> str:
        """The digest of the reviewed plan: given, in a kept document, or in the check run of what was merged."""
        if approval.digest:
            return approval.digest
        if approval.path is not None:
            return approval.read(workspace.portal.name)
        if not isinstance(self.host, GitHub):
            hint = "give --approved PATH, --require-digest SHA, or --no-approval"
            raise BlockedError("nothing tells which plan was reviewed", hint=hint)
        if self.rehearses:
            self.desk.say(f"would ask which plan of {workspace.portal.name} was reviewed")
            return ""
        about = self.result(workspace, {}, only)
        return self.host.approved(about.label, about.key)

    def bring_back(self, workspace: Workspace, result: Result, way: Back) -> None:
        """The baseline that the apply moved, as a commit or a pull request."""
        if self.rehearses:
            self.desk.say(f"would bring the moved baseline of {workspace.portal.name} back: {way}")
            return
        try:
            moved = git.moved(workspace.baseline_directory)
        except UsageError as error:
            self.desk.warn(f"the moved baseline was not brought back: {error}")
            return
        if not moved:
            return
        if not self.desk.place.branch:
            told = f"the moved baseline of {workspace.portal.name} was not brought back"
            self.desk.warn(f"{told}: no branch is known that it belongs to; commit it, or run on a branch in CI")
            return
        text = baseline_back.message(workspace.portal.name, "move the baseline")
        mark = marks.Mark("baseline", result.key, marks.told({"files": [[one.path, one.text] for one in moved]}))
        branch = f"{baseline_back.BRANCH}/baseline-{workspace.portal.name}"

        def do() -> None:
            if self._forge is None:
                baseline_back.push(workspace.directory, self.desk.place.branch, moved, text)
            elif way == "commit":
                self._forge.commit(self.desk.place.branch, moved, text)
            else:
                self._forge.propose(
                    branch, moved, text, comment.body(result.document, mark, self.desk.place.origin), mark
                )

        if not self.desk.attempt("the moved baseline", "contents: write", do) and way == "commit" and self._forge:
            self.desk.warn("where the branch is protected, `--baseline pull-request` brings the baseline back")

    @property
    def _forge(self) -> Forge | None:
        return self.host.forge if isinstance(self.host, (GitHub, GitLab)) else None

    # --- drift -------------------------------------------------------------------------------------------------------

    def drifted(self, workspace: Workspace, only: tuple[str, ...], fail_on: str) -> Result:
        """The drift of one portal."""
        return self.result(
            workspace,
            runs.caught(
                "drift",
                workspace.portal.name,
                self.now(),
                lambda: runs.drift(workspace, only, self.now(), fail_on, self.sought),
            ),
            only,
        )

    def tell(self, workspace: Workspace, result: Result, way: Report, webhook: Webhook) -> None:
        """The issue or the pull request, and the webhook where something began or ended; a failed run tells nothing."""
        if result.failed:
            return
        if way == "issue" and isinstance(self.host, (GitHub, GitLab)):
            self._issue(self.host, workspace, result, webhook)
            return
        self._posted(workspace, result, webhook)
        if way == "pull-request" and self._forge is not None:
            forge = self._forge
            self.desk.attempt(
                "the pull request",
                "contents: write, pull-requests: write",
                lambda: self._proposal(forge, workspace, result),
            )

    def _issue(self, host: GitHub | GitLab, workspace: Workspace, result: Result, webhook: Webhook) -> None:
        """The webhook before the issue, for it may be up where the issue is refused; and the issue remembers both."""
        found: list[Entry | None] = []
        self.desk.attempt("the issue", ISSUES, lambda: found.append(host.tracker.find(result.key)))
        there = found[0] if found else None
        posted = self._posted(workspace, result, webhook, there)
        if found:
            told = transitions.transition(result.document, issue.memory(there), self.now().date())
            origin = self.desk.place.origin
            self.desk.attempt(
                "the issue", ISSUES, lambda: issue.carry_out(host.tracker, result, told, there, origin, posted)
            )

    def _proposal(self, forge: Forge, workspace: Workspace, result: Result) -> None:
        """A pull request that accepts the drift, so that HubSpot's changes are reviewed as a diff."""
        part = f"-{result.key}" if result.only else ""
        branch = f"{baseline_back.BRANCH}/drift-{workspace.portal.name}{part}"
        if self.rehearses:
            self.desk.say(f"would accept the drift of {workspace.portal.name} on the branch {branch}")
            return
        if not any(report.counts(result.document, item) for item in result.document["items"]):
            forge.withdraw(branch, "Clean: a run found no drift.\n")
            return
        with runs.accepted(workspace, result.document, self.now()):
            moved = git.moved(workspace.baseline_directory)
        if not moved:
            return  # what could not be read, or moved once more meanwhile, is nothing that anybody could accept
        mark = marks.Mark("accept", result.key, marks.told({"files": [[one.path, one.text] for one in moved]}))
        text = baseline_back.message(workspace.portal.name, "accept the drift")
        forge.propose(branch, moved, text, comment.body(result.document, mark, self.desk.place.origin), mark)

    # --- the webhook -------------------------------------------------------------------------------------------------

    def _posted(
        self, workspace: Workspace, result: Result, webhook: Webhook, there: Entry | None = None
    ) -> Memory | None:
        """What the webhook knows once it was told what moved since its last post: by an open issue, or this machine."""
        if not webhook.url:
            return None
        file = workspace.notified
        if result.only:
            file = file.with_stem(f"{file.stem}-{result.key}")
        before = issue.posted(there) if there and there.is_open else notify.remembered(file)
        told = transitions.transition(result.document, before, self.now().date())
        if told.silent:
            return told.memory
        if not self._post(result, told, webhook):
            return before
        if not self.rehearses:
            self.desk.attempt("what was posted", "", lambda: notify.remember(file, told.memory))
        return told.memory

    def _post(self, result: Result, told: Transition, webhook: Webhook) -> bool:
        form = notify.form_of(webhook.url, webhook.form)
        body = notify.payload(result.document, told, form, self.desk.place.run_url)
        if self.rehearses:
            self.desk.say(f"would post to {notify.NAME} {json.dumps(body, ensure_ascii=False)}")
            return True
        try:
            notify.post(webhook.url, body)
        except (UnavailableError, UsageError) as error:
            self.desk.warn(f"nobody was notified: {error}")
            return False
        return True
