"""``reconciler schema``."""

from pathlib import Path

import click

from reconciler.cli.session import Session, common_options
from reconciler.errors import UsageError
from reconciler.model import Json

OF_FILES = ("specs", "overlay", "settings")
OF_DOCUMENTS = ("plan", "drift", "apply", "fleet", "explain", "coverage")


@click.command(epilog="Example: reconciler schema > specs/schema.json")
@click.argument("what", default="specs", type=click.Choice([*OF_FILES, *OF_DOCUMENTS]))
@click.option("--check", type=click.Path(path_type=Path), metavar="FILE", help="Only tell whether FILE holds it.")
@common_options
@click.pass_obj
def command(session: Session, what: str, check: Path | None) -> int:
    """Print the JSON Schema of specs, of overlays, of the settings, or of a document."""
    from reconciler.schema import text

    wanted = text(_schema(what))
    if check is None:
        click.echo(wanted, nl=False)
    else:
        _refuse_stale(check, wanted, what)
    return 0


def _schema(what: str) -> Json:
    from reconciler import schema

    match what:
        case "specs":
            return schema.schema()
        case "overlay":
            return schema.grammar()
        case "settings":
            return schema.settings_schema()
    return schema.document_schema(what)


def _refuse_stale(path: Path, wanted: str, what: str) -> None:
    """A file that an older version wrote teaches editors an old language."""
    hint = f"reconciler schema{'' if what == 'specs' else f' {what}'} > {path}"
    if not path.is_file():
        raise UsageError(f"there is no file {path}", where=str(path), hint=hint)
    text = path.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n")
    if '"$schema"' not in text:
        hint = "name the file that does, such as specs/schema.json; `reconciler validate` checks specs and settings"
        raise UsageError(f"{path} holds no schema", where=str(path), hint=hint)
    if text != wanted:
        raise UsageError(f"{path} is not the schema of this version", where=str(path), hint=hint)
