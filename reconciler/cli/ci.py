"""``reconciler ci``: plan, apply and drift with every surface that the CI host offers."""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.drift import LEVELS as SEVERITIES
from reconciler.cli.drift import notify_options
from reconciler.cli.plan import LEVELS, Choice
from reconciler.cli.session import Session, consent_options, only_option, shared_options
from reconciler.errors import UsageError

if TYPE_CHECKING:
    from reconciler.ci.api import Api
    from reconciler.ci.baseline_back import Back
    from reconciler.ci.comment import When
    from reconciler.ci.desk import Result
    from reconciler.ci.place import Place
    from reconciler.ci.stage import Host, Report, Stage
    from reconciler.notify import Format
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
@consent_options
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

    stage, workspaces = staged(session, portals, dry_run, documents)
    wishes = Wishes(only, allow, allow_forget, on_conflict, fail_on=fail_on or "")
    base = base_ref or stage.desk.place.base
    results = stage.with_unknown([stage.planned(workspace, wishes, base) for workspace in workspaces])
    code = show(session, stage, results, "plan", documents)
    if stage.host:
        stage.host.plan(results, comment)
    return code


@command.command("apply", epilog="Example: reconciler ci apply -p production --baseline pull-request")
@ci_options
@only_option
@consent_options
@click.option("--require-digest", default="", metavar="SHA", help="The plan that was approved, where no host tells it.")
@click.option("--approved", metavar="PATH", type=click.Path(path_type=Path), help="The reviewed plan, or their folder.")
@click.option("--no-approval", is_flag=True, help="Apply what is planned now, reviewed or not.")
@click.option(
    "--baseline", type=click.Choice(["commit", "pull-request", "keep"]), default="commit", help="Its way back."
)
@shared_options
@click.pass_obj
def apply(
    session: Session,
    dry_run: bool,
    documents: Path | None,
    portals: tuple[str, ...],
    only: tuple[str, ...],
    allow: tuple[str, ...],
    allow_forget: bool,
    on_conflict: Choice,
    require_digest: str,
    approved: Path | None,
    no_approval: bool,
    baseline: "Back",
) -> int:
    """Apply after the merge: exactly what was reviewed, or nothing."""
    from reconciler.ci.stage import Approval
    from reconciler.cli.apply import stopping
    from reconciler.planning import Wishes

    if sum((bool(require_digest), approved is not None, no_approval)) > 1:
        raise UsageError("--require-digest, --approved and --no-approval exclude each other", hint="give one of them")
    stage, workspaces = staged(session, portals, dry_run, documents)
    approval = Approval(require_digest, approved, no_approval)
    wishes = Wishes(only, allow, allow_forget, on_conflict)
    with stopping() as stopped:
        stopped.writing = True  # an apply, a document or a baseline is in flight, but while a portal is planned
        results = stage.with_unknown([stage.applied(workspace, wishes, approval, stopped) for workspace in workspaces])
        try:
            return show(session, stage, results, "apply", documents)
        finally:  # nobody may be there to read it, and what was applied is applied
            if baseline != "keep":
                for workspace, result in zip(workspaces, results, strict=True):
                    stage.bring_back(workspace, result, baseline)


@command.command("drift", epilog="Example: reconciler ci drift --portals all --report pull-request")
@ci_options
@only_option
@click.option("--fail-on", type=click.Choice(SEVERITIES), help="Exit 2 only for this bad, or breaking an integration.")
@click.option(
    "--report", type=click.Choice(["issue", "pull-request", "none"]), default="issue", help="Where it is told."
)
@click.option("--no-fail", is_flag=True, help="Exit 0 when there is drift: the issue tells of it.")
@notify_options
@shared_options
@click.pass_obj
def drift(
    session: Session,
    dry_run: bool,
    documents: Path | None,
    portals: tuple[str, ...],
    only: tuple[str, ...],
    fail_on: str | None,
    report: "Report",
    no_fail: bool,
    notify: str | None,
    notify_format: "Format",
) -> int:
    """Look for drift on a schedule: one issue for each portal, or a pull request that accepts it."""
    from reconciler.ci.stage import Webhook
    from reconciler.errors import ExitCode

    stage, workspaces = staged(session, portals, dry_run, documents)
    results = stage.with_unknown([stage.drifted(workspace, only, fail_on or "") for workspace in workspaces])
    code = show(session, stage, results, "drift", documents)
    for workspace, result in zip(workspaces, results, strict=True):
        stage.tell(workspace, result, report, Webhook(notify or "", notify_format))
    return int(ExitCode.OK) if no_fail and code == ExitCode.DIFFERENCES else code


def staged(
    session: Session, portals: Sequence[str], dry_run: bool, documents: Path | None
) -> "tuple[Stage, list[Workspace]]":
    """The place with its host, really called or only told of, the portals of the run, and room for its documents."""
    from reconciler.ci.desk import Desk
    from reconciler.ci.place import detect
    from reconciler.ci.stage import Stage
    from reconciler.settings import load
    from reconciler.workspace import Workspace

    settings = load(session.specs)
    place = detect(os.environ, _event())
    writes = (_would_write, _would_write) if dry_run else (_append, _replace)
    desk = Desk(place, _api(place, dry_run), _say, _warner(place), *writes, _below(place))
    names = chosen(settings, (*portals, *filter(None, [session.options.get("portal")])))
    stage = Stage(desk, _host(desk), session.now, dry_run)
    if documents is not None:
        documents.mkdir(parents=True, exist_ok=True)
    return stage, [Workspace(session.specs, settings, settings.portal(name)) for name in names]


def show(session: Session, stage: "Stage", results: "Sequence[Result]", what: str, documents: Path | None) -> int:
    """The text of every document, what the host reads from the log and from files; the exit code of the run."""
    from reconciler.ci import local
    from reconciler.errors import ExitCode, worst
    from reconciler.render import FORMATS

    if documents is not None:
        results = [_kept(session, documents / f"{what}-{result.portal}.json", result) for result in results]
    for result in results:
        click.echo(FORMATS["text"](result.document, session.style(sys.stdout)), nl=False, color=True)
    code = int(worst(ExitCode(result.code) for result in results))
    local.show(stage.desk, results, code)
    return code


def _kept(session: Session, file: Path, result: "Result") -> "Result":
    """A result whose document is in a file; one that cannot be is an error that every surface tells."""
    from dataclasses import replace

    from reconciler import report
    from reconciler.render import FORMATS

    try:
        _replace(file, FORMATS["json"](result.document, session.style(None)))
        return result
    except OSError as error:
        wrote = "receipt" in result.document
        hint = "what was applied is applied" if wrote else "make room for it"
        message = f"cannot write {file}: {error.strerror}"
        told = report.error_json("partial" if wrote else "usage", message, str(file), hint)
        errors = [*result.document["errors"], told]
        return replace(result, document=report.finished({**result.document, "errors": errors}))


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
    """The payload of the event, which GitHub keeps in a file."""
    path = os.environ.get("GITHUB_EVENT_PATH")
    if not path or not Path(path).exists():
        return None
    try:
        return json.loads(Path(path).read_text("utf-8"))
    except (ValueError, OSError) as error:
        message = f"the event in {path} cannot be read: {error}"
        raise UsageError(
            message, where=path, hint="GITHUB_EVENT_PATH names the payload of the event as JSON"
        ) from error


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


def _replace(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", errors="backslashreplace")


def _would_write(path: Path, text: str) -> None:
    click.echo(f"would write {len(text.encode()):,} bytes to {path}")


def _below(place: "Place") -> Callable[[str], str]:
    """Names files of the specs as the repository does."""
    from reconciler.ci.runs import directory_named

    return lambda file: directory_named(Path(file), place.checkout)


# --- the host --------------------------------------------------------------------------------------------------------

TOKENS = {"github": ("GITHUB_TOKEN", "GH_TOKEN"), "gitlab": ("GITLAB_TOKEN",)}
NAMES = {"github": "GitHub", "gitlab": "GitLab", "bitbucket": "Bitbucket"}


def _host(desk: Any) -> "Host | None":
    from reconciler.ci.bitbucket import Bitbucket
    from reconciler.ci.github import GitHub
    from reconciler.ci.gitlab import GitLab

    if desk.api is None:
        if desk.place.host in TOKENS:
            desk.warn(f"no comment, status or issue is written: {_unusable(desk.place)}")
        return None
    match desk.place.host:
        case "github":
            return GitHub(desk)
        case "gitlab":
            return GitLab(desk)
        case _:
            return Bitbucket(desk)


def _api(place: "Place", dry_run: bool) -> "Api | None":
    from reconciler.ci.api import LiveApi, Rehearsal
    from reconciler.client import Web
    from reconciler.render import escape

    if place.host not in NAMES or not place.repository:
        return None
    if dry_run:
        return Rehearsal(lambda line: _say(escape.terminal(line)))
    if place.host in TOKENS and _unusable(place):
        return None
    token = os.environ.get(_token_name(place), "")
    web = Web(place.api_url, _headers(place, token), proxy=_proxy(place), secrets=[token])
    return LiveApi(web, NAMES[place.host], time.sleep)


def _token_name(place: "Place") -> str:
    """The variable that holds the host's token; nothing where the host takes none."""
    names = TOKENS.get(place.host, ("",))
    return next(filter(os.environ.get, names), names[0])


def _unusable(place: "Place") -> str:
    """Why the host cannot be called; nothing where it can."""
    from reconciler.client import is_token

    if not place.repository:
        return "the environment does not name the repository"
    name = _token_name(place)
    if not (token := os.environ.get(name)):
        return f"{name} is not set"
    odd = f"{name} has signs that no token has; check it for a line break, a blank or a quote"
    return "" if is_token(token) else odd


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
