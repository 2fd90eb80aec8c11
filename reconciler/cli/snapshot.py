"""``reconciler snapshot``."""

import json
from pathlib import Path

import click

from reconciler.cli.session import Session, common_options, writable, write


@click.command(epilog="Example: reconciler snapshot -p production production.json")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@common_options
@click.pass_obj
def command(session: Session, file: Path) -> int:
    """Record a read of the portal in a file, for --from-snapshot."""
    from reconciler import snapshot_file, spec
    from reconciler.errors import AccessError
    from reconciler.observe import observe, read

    writable(file)
    workspace = session.workspace()
    reader = workspace.connect().reader()
    workspace.check_identity(reader)
    loaded = spec.load(workspace.directory, workspace.portal.name) if spec.has_specs(workspace.directory) else None
    scope = workspace.scope(loaded, baselined=True)
    observation = observe(scope, read(reader, scope))
    account = reader.get(workspace.api.account())
    body = account.body if account.ok else None
    document = snapshot_file.document_of(observation.reads, body, workspace.api.account(), session.now())
    if not any(one.status == "ok" for one in observation.collections.values()):
        raise AccessError("no list of the portal could be read", hint="see `reconciler plan` for which and why")
    write(file, json.dumps(document, ensure_ascii=False, indent=1) + "\n")
    unread = [one.name for one in observation.collections.values() if one.status != "ok"]
    session.note(f"recorded {len(document['responses'])} answers in {file}")
    if unread:
        session.note(f"not in it, because they could not be read: {', '.join(unread)}")
    return 0
