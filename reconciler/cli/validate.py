"""``reconciler validate``."""

import click

from reconciler.cli.session import Session, common_options, document_options


@click.command(epilog="Example: reconciler validate --specs specs -o json:findings.json")
@document_options
@common_options
@click.pass_obj
def command(session: Session) -> int:
    """Check the specs offline: every problem at once, with file, line, column and fix; without -p, for every portal."""
    from reconciler import ignore, report, spec

    session.kind = "validate"
    files = spec.SpecFiles.read(session.specs)
    settings, now = files.settings, session.now()
    chosen = session.options.get("portal")
    portals = [settings.portal(chosen).name] if settings and chosen else list(settings.portals if settings else [None])
    specs = list({id(one): one for one in map(files.spec, portals)}.values())
    expired = ignore.expired(settings.ignore if settings else (), now.date())
    findings = dict.fromkeys([*(finding for one in specs for finding in one.findings), *expired])
    listed = {file["path"]: file for one in specs for file in one.files_json}
    definitions = max(len(one.desired) for one in specs)
    return session.emit(report.validate_document(findings, list(listed.values()), definitions, now))
