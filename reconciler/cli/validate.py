"""``reconciler validate``."""

import click

from reconciler.cli.session import Session, common_options, document_options


@click.command(epilog="Example: reconciler validate --specs specs -o json:findings.json")
@document_options
@common_options
@click.pass_obj
def command(session: Session) -> int:
    """Check the specs offline: every problem at once, with file, line, column and fix."""
    from reconciler import report, spec

    session.kind = "validate"
    loaded = spec.load(session.specs)
    document = report.validate_document(loaded.findings, loaded.files_json, len(loaded.desired), session.now())
    return session.emit(document)
