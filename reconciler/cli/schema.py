"""``reconciler schema``."""

import json

import click

from reconciler.cli.session import Session, common_options


@click.command(epilog="Example: reconciler schema > specs/schema.json")
@click.argument(
    "document", required=False, type=click.Choice(["plan", "drift", "apply", "fleet", "explain", "coverage"])
)
@common_options
@click.pass_obj
def command(session: Session, document: str | None) -> int:
    """Print the JSON Schema of specs; with the name of a document, of that."""
    from reconciler.schema import document_schema, schema

    click.echo(json.dumps(document_schema(document) if document else schema(), indent=2, ensure_ascii=False))
    return 0
