"""``reconciler emulator``."""

from pathlib import Path

import click

from reconciler.cli.session import Session, common_options

TOKEN_ENV = "EMULATOR_TOKEN"  # not the default, which may hold the token of a real portal


@click.command(epilog="Example: reconciler emulator --port 8910 --state portal.json")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0: any free one.")
@click.option("--state", type=click.Path(path_type=Path, dir_okay=False), help="Keep the portal in this file.")
@click.option("--seed", default="default", metavar="default|older|empty|FILE", help="What a new portal holds.")
@common_options
@click.pass_obj
def command(session: Session, port: int, state: Path | None, seed: str) -> int:
    """Serve the embedded portal over HTTP on loopback, until interrupted."""
    from reconciler.emulator import NotKeptError, Portal, SeedError, serve
    from reconciler.errors import UsageError
    from reconciler.workspace import NO_EMBEDDED_PORTAL

    there = state is not None and state.exists()
    try:
        portal = Portal.open(state, seed=seed) if state else Portal.seeded(seed)
        portal.begin()
    except SeedError as error:
        if there:
            message = f"{state} is no embedded portal: {error}"
            raise UsageError(message, where=str(state), hint=NO_EMBEDDED_PORTAL) from error
        raise UsageError(str(error), hint="seed with default, older, empty, or a file that `snapshot` wrote") from error
    except NotKeptError as error:
        raise UsageError(str(error), where=str(state), hint="name a file that can be written with --state") from error
    try:
        server = serve(portal, port)
    except OSError as error:
        hint = "choose another --port, or leave it out and take a free one"
        raise UsageError(f"port {port} cannot be listened on: {error.strerror}", hint=hint) from error
    if there and seed != "default":
        session.note(f"{state} is there already: it goes on as it is, and --seed, for a new portal, changes nothing")
    with server:
        click.echo(f"listening on {server.url}")
        session.note(_way_in(server.url, portal.portal_id, next(iter(portal.state["tokens"]), "any-text-does")))
        server.wait()
    return 0


def _way_in(url: str, portal_id: int, token: str) -> str:
    """What to put into settings and environment to work on this portal, and how to be a colleague in it."""
    edit = '{"name": "relabel", "object": "contacts", "property": "email", "label": "E-mail"}'
    return f"""
portal {portal_id}; in specs/reconciler.yaml, under `portals:`

  local:
    portalId: {portal_id}
    baseUrl: {url}
    tokenEnv: {TOKEN_ENV}

export {TOKEN_ENV}={token}
reconciler plan -p local

a colleague's edit: curl -H 'Content-Type: application/json' {url}/_emulator/edit -d '{edit}'
"""
