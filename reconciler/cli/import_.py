"""``reconciler import``."""

from pathlib import Path
from shlex import quote

import click

from reconciler.cli.session import Session, common_options, document_options, snapshot_option, source_of

KINDS = ("properties", "propertyGroups", "lifecycleStages", "associationLabels")


@click.command(epilog="Example: reconciler import -p production --object-type contacts --name 'cs_*'")
@document_options
@snapshot_option
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Only this kind; repeatable.")
@click.option("--object-type", "object_types", multiple=True, metavar="T", help="Only this object type; repeatable.")
@click.option("--group", default="", metavar="G", help="Only this property group and what is in it.")
@click.option("--name", default="", metavar="GLOB", help="Only names like this, such as 'cs_*'.")
@click.option("--include-defaults", is_flag=True, help="Also what a portal may own of HubSpot's own properties.")
@common_options
@click.pass_obj
def command(
    session: Session,
    from_snapshot: Path | None,
    kinds: tuple[str, ...],
    object_types: tuple[str, ...],
    group: str,
    name: str,
    include_defaults: bool,
) -> int:
    """Write specs and a baseline from a portal; a plan right after it is empty."""
    from reconciler.exclusion import exclusive
    from reconciler.import_run import import_portal
    from reconciler.importer import Choice

    session.kind = "import"
    workspace = session.workspace()
    choice = Choice(kinds, object_types, group, name, include_defaults)
    with exclusive(workspace, "import of", specs=True):
        source = source_of(workspace, from_snapshot)
        portal_id = workspace.check_identity(source)
        document = import_portal(workspace, source, choice, portal_id, session.now())
    if from_snapshot is not None:
        document["next"] = workspace.command(f"plan --from-snapshot {quote(str(from_snapshot))}")
    return session.emit(document)
