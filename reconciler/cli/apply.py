"""``reconciler apply``."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.plan import Choice, check_only
from reconciler.cli.session import (
    Finished,
    Session,
    change_document_options,
    common_options,
    consent_options,
    only_option,
    sound_spec,
)
from reconciler.errors import Cancelled, ExitCode, UsageError

if TYPE_CHECKING:
    from reconciler.apply import Tools
    from reconciler.client import Client
    from reconciler.deploy import Deployment
    from reconciler.kinds import Scope
    from reconciler.planning import Wishes
    from reconciler.workspace import Workspace


@click.command(epilog="Example: reconciler apply -p production plan.json")
@click.argument("plan_file", metavar="[PLAN.json]", required=False, type=click.Path(path_type=Path, dir_okay=False))
@change_document_options
@only_option
@consent_options
@click.option("--require-digest", default="", metavar="SHA", help="Go on only if the plan is exactly this one.")
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@common_options
@click.pass_obj
def command(
    session: Session,
    plan_file: Path | None,
    only: tuple[str, ...],
    allow: tuple[str, ...],
    allow_forget: bool,
    require_digest: str,
    on_conflict: Choice,
    auto_approve: bool,
) -> int:
    """Make the portal as the specs say; with a saved plan, exactly that plan or nothing."""
    from reconciler.approval import approved
    from reconciler.exclusion import exclusive
    from reconciler.planning import Wishes

    session.kind = "apply"
    workspace = session.workspace()
    if plan_file is None and not auto_approve and not session.interactive:
        hint = "review a plan and apply that file, or give --auto-approve"
        raise UsageError("nobody is there to approve the plan", hint=hint)
    wishes = Wishes(only, allow, allow_forget, on_conflict, require_digest=require_digest)
    with exclusive(workspace), stopping() as stopped:
        workspace.cancelled = stopped.wanted
        if plan_file is not None:
            if only or on_conflict:
                raise UsageError("--only and --on-conflict belong to the plan, not to its apply")
            deployment, scope, client = approved(workspace, plan_file, wishes, session.now)
        else:
            deployment, scope, client = _planned(session, workspace, wishes, auto_approve)
        return _carry_out(session, deployment, _tools(session, client, scope, stopped), stopped)


def _planned(
    session: Session, workspace: "Workspace", wishes: "Wishes", auto_approve: bool
) -> "tuple[Deployment, Scope, Client]":
    """Plans, shows, and asks."""
    from reconciler.deploy import Deployment, refuse_blocked, require_digest
    from reconciler.planning import document, judged_again, look_around, make
    from reconciler.render import FORMATS

    spec = sound_spec(workspace, session)
    client = workspace.connect()
    reader = client.reader()
    situation = look_around(workspace, spec, reader, reader, session.now())
    check_only(situation, wishes.only)
    plan = make(situation, wishes)
    made = document(situation, plan, wishes, session.now())
    stopped = bool(made["exit"]["code"])
    to_machines = any(output.file is None for output in session.outputs)
    if to_machines if stopped else plan.changes and not session.quiet:
        click.echo(FORMATS["text"](made, session.style(sys.stderr)), err=True, nl=False, color=True)
    if stopped:
        raise Finished(session.emit(made))
    require_digest(wishes.require_digest, made["digest"])
    refuse_blocked(plan)
    observation = situation.observation
    if plan.writes and not auto_approve:
        what = "this change" if len(plan.writes) == 1 else f"these {len(plan.writes)} changes"
        click.confirm(f"Apply {what} to {workspace.portal.name}?", abort=True, err=True)
        observation = workspace.observe(reader, situation.scope)  # somebody took their time
        plan = judged_again(situation, plan, wishes)
        refuse_blocked(plan)
    return Deployment(workspace, made, plan.changes, observation, session.now), situation.scope, client


def _tools(session: Session, client: "Client", scope: "Scope", stopped: "Stop") -> "Tools":
    from reconciler.apply import Tools

    return Tools(client.reader(), client.writer(), scope, cancelled=stopped.wanted, wait=client.clock.wait)


def _carry_out(session: Session, deployment: "Deployment", tools: "Tools", stopped: "Stop") -> int:
    from reconciler.deploy import deploy
    from reconciler.report import wrote

    stopped.writing = True
    document = deploy(replace(deployment, cancelled=lambda: stopped.name), tools)
    code = session.emit(document)
    if "receipt" in document:
        receipt = deployment.workspace.receipts / document["receipt"]
        session.note(_record(deployment.workspace, receipt, undo=wrote(document["changes"])))
    return code


def _record(workspace: "Workspace", receipt: Path, undo: bool) -> str:
    """Where it is written down what this run did, and the command that plans it back, if it did anything."""
    from shlex import quote

    here = Path.cwd()
    shown = str(receipt.relative_to(here) if receipt.is_relative_to(here) else receipt)
    back = workspace.command(f"plan --inverse {quote(shown)} -o json:undo.json")
    return f"\nReceipt: {shown}" + (f"\nUndo:    {back}" if undo else "")


class Stop:
    """Whether somebody wants the run to end, and how they said so."""

    def __init__(self) -> None:
        self.name = ""  # and no lock beside it: a signal may come while the one before it is handled
        self.writing = False

    def wanted(self) -> bool:
        """Whether the run is to end."""
        return bool(self.name)

    def __call__(self, number: int, _: object) -> None:
        """The first signal ends the run, once it writes after what is in flight; the second ends it now."""
        if self.name:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.name = (ExitCode.INTERRUPTED if number == signal.SIGINT else ExitCode.TERMINATED).name.lower()
        if not self.writing:
            raise Cancelled(self.name)
        with suppress(OSError, RuntimeError):  # nobody reads it, or it interrupts another line: neither ends a write
            click.echo("finishing what is in flight; once more to leave at once", err=True)


@contextmanager
def stopping() -> Iterator[Stop]:
    """Turns interrupt and terminate into an orderly end, where this is the main thread."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
