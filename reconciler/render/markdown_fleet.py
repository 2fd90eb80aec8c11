"""The report of a fleet as Markdown: a matrix of portals by definition where it fits, lists where it does not."""

from collections.abc import Sequence

from reconciler.fleet import STATES, by_address
from reconciler.model import Json
from reconciler.render import escape
from reconciler.render.escape import cell, code
from reconciler.render.markdown_parts import Lines, Page, alert, alike, head, names, row
from reconciler.render.text_fleet import ROLES, destroyed
from reconciler.render.words import counted, listed, said

WIDE, TALL = 12, 40  # a matrix of more portals or definitions is read by nobody
LISTED = 100
SIGNS = {"differs": "~", "missing": "+", "drifted": "!", "unreadable": "?"}
UNFINISHED = ("failed", "stopped", "not-started")  # such a portal may never have been read
Found = Sequence[tuple[str, dict[str, list[str]]]]


def body(page: Page) -> Lines:
    """What stands between the counts and the footer."""
    portals = page.document.get("portals", ())
    yield from alert(
        "CAUTION", _failures(page, [one for one in portals if one["errors"] or one["breaks"] or destroyed(one)])
    )
    yield from _portals(page, portals)
    shown = portals if len(portals) <= WIDE else [one for one in portals if one["states"]]
    found = sorted(by_address(page.document).items(), key=lambda pair: (-sum(map(len, pair[1].values())), pair[0]))
    if found and page.detail.fields:
        yield from ("", "### Where portals are not as declared")
        yield from _matrix(found, shown) if len(shown) <= WIDE and len(found) <= TALL else _lists(found)


def _failures(page: Page, portals: Sequence[Json]) -> Lines:
    """What went wrong, and in which portals; what there is no room for, in fewer words."""
    if page.detail.warnings == "named":
        told = portals if page.detail.names is None else portals[: page.detail.names]
        for verdict, group in alike(told, lambda one: str(one["verdict"])):
            yield f"- **{escape.markdown(verdict)}**: {names(one['name'] for one in group)}"
        if len(portals) > len(told):
            yield f"- **{len(portals) - len(told):,} more that do not fit here.**"
        return
    reasons: dict[tuple[str, str], list[str]] = {}
    for one in portals:
        reasons.setdefault((one["verdict"], _why(one)), []).append(one["name"])
    for (verdict, why), these in reasons.items():
        yield f"- **{escape.markdown(verdict)}** {names(these)}: {why}"


def _why(one: Json) -> str:
    told = ["; ".join(filter(None, [said(error), error.get("hint")])) for error in one["errors"][:3]]
    told += [f"destroys {listed(lost, 6)}"] if (lost := destroyed(one)) else []
    told += [f"breaks {name}" for name in one["breaks"]]
    return escape.markdown("; ".join(told))


def _portals(page: Page, portals: Sequence[Json]) -> Lines:
    ordered = sorted(portals, key=lambda one: (one["verdict"] in ("same", "applied"), one["name"]))
    shown = page.detail.first(ordered)
    yield from head("Portal", "Verdict", "same", *STATES)
    for one in shown:
        counts = [str(len(one["states"].get(state, ())) or "") for state in STATES]
        verdict = f"{ROLES[one['verdict']][0]} {escape.markdown(one['verdict'])}"
        yield row(cell(one["name"]), verdict, f"{one['same']:,}", *counts)
    if len(portals) > len(shown):
        yield from ("", f"{counted(len(portals) - len(shown), 'more portal')} not shown.")


def _matrix(found: Found, portals: Sequence[Json]) -> Lines:
    yield from head("Definition", *(cell(one["name"]) for one in portals))
    for address, states in found:
        signs = {name: SIGNS[state] for state, where in states.items() for name in where}
        yield row(cell(address), *(signs.get(one["name"]) or _sign(one, address) for one in portals))
    told = ", ".join(f"{code(sign)} {state}" for state, sign in SIGNS.items())
    yield from ("", f"{code('=')} same, {told}")


def _sign(portal: Json, address: str) -> str:
    """The sign of a definition that nothing was found about: it is the same as far as the portal was read."""
    if portal["verdict"] in UNFINISHED and not portal["states"] and not portal["same"]:
        return SIGNS["unreadable"]
    head = address.rpartition("/")[0]
    unread = portal["states"].get("unreadable", ())
    lifecycle = head == "lifecycleStages" and any(name.startswith(f"{head}/") for name in unread)  # it has two lists
    return SIGNS["unreadable"] if lifecycle or head in unread else "="


def _lists(found: Found) -> Lines:
    yield ""
    for address, states in found[:LISTED]:
        told = "; ".join(f"{state} in {listed(names, 6)}" for state, names in states.items())
        yield f"- {code(address)}: {escape.markdown(told)}"
    if len(found) > LISTED:
        yield from ("", f"{counted(len(found) - LISTED, 'more definition')} not shown.")
