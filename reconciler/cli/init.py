"""``reconciler init``."""

from importlib.resources import files
from os.path import relpath
from pathlib import Path
from shlex import quote

import click

from reconciler.cli.session import Session, common_options
from reconciler.errors import UsageError

IGNORED = ".reconciler/"


@click.command(epilog="Example: reconciler init --portal-id 1234567")
@click.option(
    "--portal-id", type=click.IntRange(min=1), metavar="ID", help="Begin with this real portal, and no examples."
)
@common_options
@click.pass_obj
def command(session: Session, portal_id: int | None) -> int:
    """Start a specs directory: settings, the schema, the line for .gitignore, and specs to play with.

    The settings name an embedded portal, or with --portal-id your own; then, and beside specs that are there, no
    example is written that a plan could take for your wish.
    """
    from reconciler.settings import FILES, refuse_file

    directory = session.specs
    refuse_file(directory)
    for settings in (directory / name for name in FILES):
        if settings.exists():
            hint = "init begins, it never overwrites"
            raise UsageError(f"{settings} is there already", where=str(settings), hint=hint)
    written = [_write(directory / name, text) for name, text in _starting_files(directory, portal_id).items()]
    written.append(_ignore(Path(relpath(directory.resolve().parent / ".gitignore"))))
    session.note("\n".join(["wrote", *(f"  {path}" for path in written if path)]))
    where = "" if directory == Path("specs") else f" --specs {quote(str(directory))}"
    if portal_id is None:
        click.echo(f"Next: reconciler plan{where}")
    else:
        click.echo(f"Next: put a service key into HUBSPOT_ACCESS_TOKEN, then: reconciler import{where}")
    return 0


SETTINGS_OF_A_REAL_PORTAL = """\
version: 1
portals:
  production:
    portalId: {portal_id}                 # checked against the token before anything else
    tokenEnv: HUBSPOT_ACCESS_TOKEN    # the environment variable that holds a service key
    apiVersion: 2026-09               # of HubSpot's API; v3, the default, is supported until 2027-03-30 only
watch: [contacts, companies, deals, tickets]
"""


def _starting_files(directory: Path, portal_id: int | None) -> dict[str, str]:
    """What a new directory holds, by file name; no examples for a real portal, and none beside specs of the user's."""
    from reconciler.spec import has_specs

    template = files("reconciler") / "template"
    texts = {entry.name: entry.read_text(encoding="utf-8") for entry in template.iterdir() if entry.is_file()}
    if portal_id is not None:
        texts["reconciler.yaml"] = SETTINGS_OF_A_REAL_PORTAL.format(portal_id=portal_id)
    plain = portal_id is not None or has_specs(directory)
    return {name: texts[name] for name in sorted(texts) if not plain or name in ("reconciler.yaml", "schema.json")}


def _write(path: Path, text: str) -> Path | None:
    if path.exists():
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _ignore(path: Path) -> Path | None:
    """Local state never belongs into git."""
    there = path.read_bytes() if path.exists() else b""
    if IGNORED.encode() in there.splitlines():
        return None
    unended = there and not there.endswith(b"\n")
    with path.open("ab") as stream:
        stream.write((b"\n" if unended else b"") + IGNORED.encode() + b"\n")
    return path
