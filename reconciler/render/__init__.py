"""Renderers: pure functions from one document, as ``-o json`` writes it, to text in some format.

Whatever a person can see is in the document; a renderer decides nothing but how to say it.
"""

from collections.abc import Callable, Mapping
from importlib import import_module

from reconciler.model import Json
from reconciler.render.style import Style

Renderer = Callable[[Mapping[str, Json], Style], str]


def _renderer(module: str) -> Renderer:
    def render(document: Mapping[str, Json], style: Style) -> str:
        rendered: str = import_module(f"reconciler.render.{module}").render(document, style)
        return rendered

    return render


# The module of each format, imported when it is asked for.
MODULES = {
    "text": "text",
    "json": "json",
    "markdown": "budget",
    "jsonl": "jsonl",
    "html": "html",
    "sarif": "sarif",
    "junit": "junit",
    "github": "github",
    "gitlab-terraform": "gitlab_terraform",
    "gitlab-codequality": "gitlab_codequality",
}
FORMATS: Mapping[str, Renderer] = {name: _renderer(module) for name, module in MODULES.items()}

KINDS = (  # the documents that every format can show
    "plan",
    "apply",
    "drift",
    "validate",
    "import",
    "fleet",
    "explain",
    "coverage",
    "doctor",
)

__all__ = ["FORMATS", "KINDS", "Renderer", "Style"]
