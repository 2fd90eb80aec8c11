"""Tells a webhook what began and what ended in a portal's drift, and nothing while nothing does.

Slack and Teams get a message in their own form, anything else the facts as JSON. The address is a secret: whoever has
it can post there, so it is in no message of ours.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from reconciler import small_files
from reconciler.client import Web
from reconciler.errors import UnavailableError, UsageError
from reconciler.model import Json
from reconciler.render import escape
from reconciler.render.summaries import summary
from reconciler.render.words import drift_kind, portal
from reconciler.transitions import Memory, Transition, transition

Format = Literal["auto", "generic", "slack", "teams"]
SHOWN = 10
NAME = "the webhook"
SLACK = ("hooks.slack.com", "hooks.slack-gov.com")
TEAMS = ("webhook.office.com", "logic.azure.com", "api.powerplatform.com")


def form_of(url: str, form: Format) -> Format:
    """The form that a webhook takes, which its host tells."""
    if form != "auto":
        return form
    host = (_parts(url).hostname or "").lower()
    if host in SLACK:
        return "slack"
    return "teams" if any(host == one or host.endswith(f".{one}") for one in TEAMS) else "generic"


def _parts(url: str) -> SplitResult:
    """The parts of an address; what is wrong with it is not said, for it may hold the secret."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise UsageError(f"{NAME} is no address", hint="it looks like https://host/path") from None
    return parts


def payload(document: Mapping[str, Json], told: Transition, form: Format, run_url: str = "") -> dict[str, Json]:
    """What is posted."""
    match form:
        case "slack":
            return {"text": "\n".join(_slack(line) for line in _lines(document, told, run_url))}
        case "teams":
            return _teams(_lines(document, told, run_url))
        case "generic" | "auto":
            return _generic(document, told, run_url)


def _generic(document: Mapping[str, Json], told: Transition, run_url: str) -> dict[str, Json]:
    return {
        "formatVersion": "1.0",
        "kind": "drift-transition",
        "portal": document["portal"],
        "at": document["generatedAt"],
        "open": len(told.items),
        "new": [{name: item[name] for name in ("address", "class", "severity", "fingerprint")} for item in told.new],
        "resolved": list(told.resolved),
        "summary": summary(document),
        **({"runUrl": run_url} if run_url else {}),
    }


def _lines(document: Mapping[str, Json], told: Transition, run_url: str) -> Sequence[str]:
    head = f"HubSpot drift in {portal(document)}: {told.words()}, {len(told.items):,} open"
    news = [f"{item['severity']}: {drift_kind(item)[1]} {item['address']}" for item in told.new[:SHOWN]]
    more = [f"and {len(told.new) - SHOWN:,} more"] if len(told.new) > SHOWN else []
    return [head, *news, *more, *([run_url] if run_url else [])]


def _slack(line: str) -> str:
    """Text in which Slack finds neither a mention nor a link of somebody else's making."""
    shown = escape.terminal(line).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return shown.replace("@", "@\u2060")


def _teams(lines: Sequence[str]) -> dict[str, Json]:
    """An adaptive card; its texts know some Markdown, so that is escaped."""
    head, *rest = lines
    blocks: list[dict[str, Json]] = [_block(head, weight="Bolder"), *(_block(line) for line in rest)]
    card = {"type": "AdaptiveCard", "version": "1.4", "body": blocks}
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return {"type": "message", "attachments": [attachment]}


def _block(line: str, **more: str) -> dict[str, Json]:
    shown = escape.terminal(line)
    for sign in "\\*_[]":
        shown = shown.replace(sign, "\\" + sign)
    return {"type": "TextBlock", "text": shown, "wrap": True, **more}


def post(url: str, body: Mapping[str, Json]) -> None:
    """Posts it; whatever goes wrong, the address is in no error."""
    parts = _parts(url)
    secrets = [url, f"{parts.path}?{parts.query}" if parts.query else parts.path, parts.path, parts.query]
    web = Web(url, named=NAME, secrets=[secret for secret in secrets if len(secret) > 1])
    raw = web.send("POST", "", dict(body))
    if raw.status >= 300:
        raise UnavailableError(f"{NAME} answered {raw.status}")


def tell(document: Mapping[str, Json], before: Memory, url: str, form: Format, today: date) -> Memory | None:
    """Posts what began and ended since the last post, and gives what to remember of it; nothing on silence."""
    told = transition(document, before, today)
    if told.silent or document.get("errors"):
        return None
    post(url, payload(document, told, form_of(url, form)))
    return told.memory


# --- memory of this machine, where no issue remembers ----------------------------------------------------------------


def remembered(file: Path) -> Memory:
    """What was open when something was posted last."""
    try:
        entries = json.loads(file.read_text("utf-8"))
        return Memory({one: date.fromisoformat(day) for one, day in entries.items()})
    except (OSError, ValueError, AttributeError, TypeError):
        return Memory()  # nobody was told of anything yet


def remember(file: Path, memory: Memory) -> None:
    """Keeps what is open for the next run."""
    entries = {one: day.isoformat() for one, day in sorted(memory.since.items())}
    small_files.write({file: json.dumps(entries, indent=1) + "\n"})
