"""``reconciler init``."""

from importlib.resources import files
from pathlib import Path

import click

from reconciler.cli.session import Session, common_options
from reconciler.errors import UsageError

IGNORED = ".reconciler/"


@click.command(epilog="Example: reconciler init --portal-id 1234567")
@click.option("--portal-id", type=int, metavar="ID", help="Also configure this real portal, as `production`.")
@common_options
@click.pass_obj
def command(session: Session, portal_id: int | None) -> int:
    """Start a specs directory: settings, a few believable specs, the schema, and the line for .gitignore."""
    directory = session.specs
    settings = directory / "reconciler.yaml"
    if settings.exists():
        raise UsageError(f"{settings} is there already", where=str(settings), hint="init begins, it never overwrites")
    written = [_write(directory / name, text) for name, text in starting_files(portal_id).items()]
    _ignore(directory.resolve().parent / ".gitignore")
    session.note("\n".join(["wrote", *(f"  {path}" for path in written if path)]))
    click.echo(f"Next: reconciler plan{'' if directory == Path('specs') else f' --specs {directory}'}")
    return 0


def starting_files(portal_id: int | None) -> dict[str, str]:
    """What a new directory holds, by file name."""
    template = files("reconciler") / "template"
    texts = {entry.name: entry.read_text(encoding="utf-8") for entry in template.iterdir() if entry.is_file()}
    if portal_id is not None:
        production = f"  production:\n    portalId: {portal_id}\n    tokenEnv: HUBSPOT_ACCESS_TOKEN\n"
        texts["reconciler.yaml"] = texts["reconciler.yaml"].replace("watch:", f"{production}watch:", 1)
    return dict(sorted(texts.items()))


def _write(path: Path, text: str) -> Path | None:
    if path.exists():
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _ignore(path: Path) -> None:
    """Local state never belongs into git."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    if IGNORED not in lines:
        path.write_text("\n".join([*lines, IGNORED]) + "\n", encoding="utf-8")
