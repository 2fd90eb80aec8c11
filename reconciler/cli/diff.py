"""``reconciler diff``."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.plan import LEVELS
from reconciler.cli.session import Session, common_options, document_options

if TYPE_CHECKING:
    from reconciler.comparison import Side


@click.command(epilog="Example: reconciler diff --base-ref origin/main -o markdown")
@document_options
@click.option("--base-ref", required=True, metavar="REF", help="The commit to compare with, such as origin/main.")
@click.option("--head-ref", metavar="REF", help="The commit to look at, instead of what is checked out.")
@click.option("--base-specs", metavar="DIR", type=click.Path(path_type=Path), help="The specs directory at the base.")
@click.option("--fail-on", type=click.Choice(LEVELS), help="Exit 6 for changes this bad.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when the specs differ.")
@common_options
@click.pass_obj
def command(
    session: Session,
    base_ref: str,
    head_ref: str | None,
    base_specs: Path | None,
    fail_on: str | None,
    detailed_exitcode: bool,
) -> int:
    """Compare the specs of two commits, without any token or network."""
    from reconciler.comparison import document

    with ExitStack() as stack:
        base = side(stack, base_ref, base_specs or session.specs)
        head = side(stack, head_ref, session.specs)
        made = document(base, head, session.now(), detailed=detailed_exitcode, fail_on=fail_on or "")
    return session.emit(made)


def side(stack: ExitStack, ref: str | None, directory: Path) -> "Side":
    """The specs of a commit, or of the checkout; a directory that is not there declares nothing."""
    from reconciler import git, settings, spec
    from reconciler.comparison import Side
    from reconciler.model import Snapshot

    if ref is None:
        return Side("the checkout", git.commit_of("HEAD", directory), spec.load(directory))
    commit = git.commit_of(ref, directory)
    there = stack.enter_context(git.specs_at(commit, directory))
    known = spec.load(there) if spec.has_specs(there) else spec.Spec(Snapshot(), {}, settings.read(there)[0])
    return Side(ref, commit, known, there.as_posix(), directory.as_posix())
