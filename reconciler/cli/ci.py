"""``reconciler ci``: plan, apply and drift with every surface that the CI host offers."""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.plan import LEVELS, Choice
from reconciler.cli.session import Session, only_option, shared_options
from reconciler.errors import UsageError

if TYPE_CHECKING:
    from reconciler.ci.api import Api
    from reconciler.ci.comment import When
    from reconciler.ci.desk import Desk, Result
    from reconciler.ci.place import Place
    from reconciler.planning import Wishes
    from reconciler.settings import Settings
    from reconciler.workspace import Workspace


@click.group(epilog="Example: reconciler ci plan --portals all")
@shared_options
def command() -> None:
    """At home on GitHub, GitLab, Azure and Bitbucket: comments, statuses, annotations, reports, one issue for drift."""


def ci_options(function: Any) -> Any:
    """The options of all three."""
    for option in (
        click.option("--dry-run", is_flag=True, help="Print every call to the host instead of making it."),
        click.option("--documents", metavar="DIR", type=click.Path(path_type=Path), help="Keep the documents here."),
        click.option(
            "-p",
            "--portal",
            "--portals",
            "portals",
            multiple=True,
            metavar="GLOB",
            help="Portals of the settings; repeatable; or all.",
        ),
    ):
        function = option(function)
    return function


@command.command("plan", epilog="Example: reconciler ci plan --portals 'prod*'")
@ci_options
@only_option
@click.option("--allow", multiple=True, metavar="ADDRESS", help="Consent to the destruction of exactly this.")
@click.option("--allow-forget", is_flag=True, help="Consent to specs that lost most of their entries.")
@click.option("--on-conflict", type=click.Choice(["spec", "live"]), help="Who wins where spec and portal both moved.")
@click.option("--fail-on", type=click.Choice(LEVELS), help="Exit 6 for changes this bad, or breaking an integration.")
@click.option(
    "--comment", type=click.Choice(["always", "changes", "never"]), default="changes", help="When to comment."
)
@click.option("--base-ref", default="", metavar="REF", help="The commit that the pull request goes into.")
@shared_options
@click.pass_obj
def plan(
    session: Session,
    dry_run: bool,
    documents: Path | None,
    portals: tuple[str, ...],
    only: tuple[str, ...],
    allow: tuple[str, ...],
    allow_forget: bool,
    on_conflict: Choice,
    fail_on: str | None,
    comment: "When",
    base_ref: str,
) -> int:
    """Plan for review: nothing is written to a portal."""
    from reconciler.planning import Wishes

    stage = Stage.of(session, portals, dry_run)
    wishes = Wishes(only, allow, allow_forget, on_conflict, fail_on=fail_on or "")
    results = [stage.planned(workspace, wishes, base_ref) for workspace in stage.workspaces]
    code = stage.show(results, "plan", documents)
    if host := stage.host():
        host.plan(results, comment)
    return code


@dataclass(frozen=True)
class Stage:
    """One run on a host, for some portals."""

    session: Session
    desk: "Desk"
    workspaces: "Sequence[Workspace]"

    @classmethod
    def of(cls, session: Session, portals: Sequence[str], dry_run: bool) -> "Stage":
        """The place, the portals, and a host that is really called or only told of."""
        from reconciler.ci.desk import Desk
        from reconciler.ci.place import detect
        from reconciler.settings import load
        from reconciler.workspace import Workspace

        settings = load(session.specs)
        place = detect(os.environ, _event())
        desk = Desk(
            place,
            _api(place, dry_run),
            _say,
            _warner(place),
            _would_append if dry_run else _append,
            _below(place),
        )
        names = chosen(settings, (*portals, *filter(None, [session.options.get("portal")])))
        return cls(session, desk, [Workspace(session.specs, settings, settings.portal(name)) for name in names])

    def host(self) -> Any:
        """The surfaces of the host that need its API; none without a token."""
        from reconciler.ci.github import GitHub

        if self.desk.api is None:
            if names := TOKENS.get(self.desk.place.host):
                self.desk.warn(f"no comment, status or issue was written: {names[0]} is not set")
            return None
        return GitHub(self.desk) if self.desk.place.host == "github" else None

    def planned(self, workspace: "Workspace", wishes: "Wishes", base_ref: str) -> "Result":
        """The plan of one portal, and how far the base branch is from it."""
        from reconciler.ci import runs

        made: list[runs.Planned] = []

        def run() -> runs.Document:
            made.append(runs.plan(workspace, wishes, self.session.now()))
            return made[0].document

        document = runs.caught("plan", workspace.portal.name, self.session.now(), run)
        base = base_ref or self.desk.place.base
        behind = self._behind(made[0], base) if base and made and made[0].situation else None
        return self._result(workspace, document, behind, base)

    def _behind(self, planned: Any, base: str) -> int | None:
        from reconciler import git
        from reconciler.ci import runs

        try:
            return runs.behind(planned.situation, git.commit_of(base, self.session.specs))
        except UsageError as error:
            self.desk.warn(f"whether live matches the base branch is not known: {error}; {error.hint}")
            return None

    def _result(self, workspace: "Workspace", document: Any, behind: int | None = None, base: str = "") -> "Result":
        from reconciler.ci.desk import Result
        from reconciler.ci.runs import directory_named

        directory = directory_named(workspace.directory, self.desk.place.checkout)
        return Result(workspace.portal.name, directory, document, behind, base)

    def show(self, results: "Sequence[Result]", what: str, documents: Path | None) -> int:
        """The text of every document, what the host reads from the log and from files; the exit code of the run."""
        from reconciler.ci import local
        from reconciler.errors import ExitCode, worst
        from reconciler.render import FORMATS

        for result in results:
            click.echo(FORMATS["text"](result.document, self.session.style(sys.stdout)), nl=False, color=True)
        code = int(worst(ExitCode(result.code) for result in results))
        if documents is not None:
            documents.mkdir(parents=True, exist_ok=True)
            for result in results:
                text = FORMATS["json"](result.document, self.session.style(None))
                (documents / f"{what}-{result.portal}.json").write_text(text, "utf-8", "backslashreplace")
        local.show(self.desk, results, code, what)
        return code


def chosen(settings: "Settings", patterns: Sequence[str]) -> list[str]:
    """The portals that these patterns name, in the order of the settings; without one, the usual portal."""
    if not patterns:
        return [settings.portal(os.environ.get("RECONCILER_PORTAL")).name]
    for pattern in patterns:
        if pattern != "all" and not any(fnmatchcase(name, pattern) for name in settings.portals):
            settings.portal(pattern)  # says which there are
    return [name for name in settings.portals if any(p == "all" or fnmatchcase(name, p) for p in patterns)]


# --- the ways to say something ---------------------------------------------------------------------------------------


def _event() -> Any:
    path = os.environ.get("GITHUB_EVENT_PATH")
    if not path or not Path(path).exists():
        return None
    return json.loads(Path(path).read_text("utf-8"))


def _say(line: str) -> None:
    click.echo(line)


def _warner(place: "Place") -> Callable[[str], None]:
    def warn(text: str) -> None:
        from reconciler.ci import remarks
        from reconciler.render import escape

        remark = remarks.Remark("warning", "hubspot-reconciler", text)
        if place.host == "github":
            click.echo(remarks.github(remark))
        elif place.host == "azure":
            click.echo(remarks.azure(remark))
        click.echo(f"warning: {escape.terminal(text)}", err=True)

    return warn


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write(text)


def _would_append(path: Path, text: str) -> None:
    click.echo(f"would write {len(text.encode()):,} bytes to {path}")


def _below(place: "Place") -> Callable[[str], str]:
    from reconciler.ci.runs import directory_named

    return lambda file: directory_named(Path(file), place.checkout)


TOKENS = {"github": ("GITHUB_TOKEN", "GH_TOKEN"), "gitlab": ("GITLAB_TOKEN",), "bitbucket": ()}


def _api(place: "Place", dry_run: bool) -> "Api | None":
    from reconciler.ci.api import LiveApi, Rehearsal
    from reconciler.client import Web
    from reconciler.render import escape

    if place.host not in TOKENS or not place.repository:
        return None
    if dry_run:
        return Rehearsal(lambda line: _say(escape.terminal(line)))
    token = next(filter(None, map(os.environ.get, TOKENS[place.host])), "")
    if not token and place.host != "bitbucket":
        return None
    web = Web(place.api_url, _headers(place, token), proxy=_proxy(place), secrets=[token])
    return LiveApi(web, {"github": "GitHub", "gitlab": "GitLab"}.get(place.host, "Bitbucket"), time.sleep)


def _headers(place: "Place", token: str) -> dict[str, str]:
    if place.host == "github":
        accept = {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28"}
        return {**accept, "authorization": f"Bearer {token}"}
    return {"private-token": token} if token else {}


def _proxy(place: "Place") -> str:
    """Inside a pipeline, Bitbucket's API is reached without a token through a proxy on this machine."""
    from urllib.parse import urlsplit

    plain = place.host == "bitbucket" and urlsplit(place.api_url).hostname == "api.bitbucket.org"
    return "http://localhost:29418" if plain else ""
