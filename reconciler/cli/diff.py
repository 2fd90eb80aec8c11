"""``reconciler diff``."""

from contextlib import ExitStack
from pathlib import Path

import click

from reconciler.cli.plan import LEVELS
from reconciler.cli.session import Session, change_document_options, common_options


@click.command(epilog="Example: reconciler diff --base-ref origin/main -o markdown")
@change_document_options
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
    from reconciler.comparison import document, side

    with ExitStack() as stack:
        portal = session.options.get("portal")
        base = side(stack, base_ref, base_specs or session.specs, portal, needed=base_specs is not None)
        head = side(stack, head_ref, session.specs, portal)
        made = document(base, head, session.now(), detailed=detailed_exitcode, fail_on=fail_on or "")
    return session.emit(made)
