"""``reconciler validate``."""

import click

from reconciler.cli.session import Session, common_options, document_options


@click.command(epilog="Example: reconciler validate --specs specs -o json:findings.json")
@document_options
@common_options
@click.pass_obj
def command(session: Session) -> int:
    """Check the specs offline: every problem at once, with file, line, column and fix."""
    from reconciler import ignore, report, spec

    session.kind = "validate"
    loaded = spec.load(session.specs)
    now = session.now()
    expired = ignore.expired(loaded.settings.ignore if loaded.settings else (), now.date())
    findings = (*loaded.findings, *expired)
    document = report.validate_document(findings, loaded.files_json, len(loaded.desired), now)
    return session.emit(document)
