"""``reconciler doctor``."""

import click

from reconciler.cli.session import Session, common_options, document_options


@click.command(epilog="Example: reconciler doctor -p production")
@document_options
@common_options
@click.pass_obj
def command(session: Session) -> int:
    """Check Python, settings, token, scopes, limits, budget, clock and API version; each with the way out."""
    from reconciler.doctor import checks, document
    from reconciler.doctor_run import examined

    session.kind = "doctor"
    workspace = session.workspace()
    facts = examined(workspace, session.now())
    live = facts.account["portalId"] if facts.account else facts.portal.portal_id
    return session.emit(document(facts, checks(facts), workspace.portal_json(live)))
