"""``reconciler show``."""

from pathlib import Path

import click

from reconciler.cli.session import Session, change_document_options, common_options
from reconciler.errors import ExitCode, UsageError


@click.command(epilog="Example: reconciler show plan.json -o markdown")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@change_document_options
@common_options
@click.pass_obj
def command(session: Session, file: Path) -> int:
    """Render a saved document again, offline; exits 0 whatever the document's own exit code was."""
    from reconciler.approval import read_json
    from reconciler.render import KINDS
    from reconciler.report import check_version

    document = check_version(read_json(file), str(file))
    if document.get("kind") not in KINDS:
        raise UsageError(f"{file} is no document that can be shown", where=str(file), hint="make it with -o json:FILE")
    try:
        session.emit(document)
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        hint = "parts of it are missing or of another kind; make it anew with -o json:FILE"
        raise UsageError(f"{file} is not a whole document", where=str(file), hint=hint) from error
    return int(ExitCode.USAGE if session.unwritten else ExitCode.OK)
