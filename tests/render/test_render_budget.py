"""Comments fit where they are posted, and lose what matters last."""

import re

import pytest
from render_documents import ALL, BASE, DRIFT_FULL, FLEET, PLAN_FULL, change, given, options, result, source

from reconciler.render import FORMATS, Style
from reconciler.render.budget import LIMITS, fitted, is_whole
from reconciler.render.style import Origin

PLAIN = Style()
DIGEST = "sha256:4f1c9a"


def big(safe: int, destroyed: int, width: int = 0) -> dict:
    """A plan of many changes, of which some destroy something."""
    fields = given(label="Score", type="enumeration", fieldType="select", options=options("a", "b"))
    creates = [change(f"properties/contacts/cs_{at}", "create", fields, source=source(at)) for at in range(safe)]
    archives = [
        change(
            f"properties/deals/old_{at:0{width}}",
            "archive",
            severity="destructive",
            title="Old",
            impact={"recordsWithValue": at, "measuredAt": "2026-11-24T09:00:00Z"},
            guards=[{"rule": "destructive", "result": "refused", "allow": f"--allow properties/deals/old_{at}"}],
        )
        for at in range(destroyed)
    ]
    return {**PLAN_FULL, "changes": [*creates, *archives]}


def whole_fences(text: str) -> bool:
    """Whether every fence and fold that is opened is closed."""
    fence = ""
    for line in text.splitlines():
        if ticks := re.match("```+", line):
            fence = "" if fence == ticks[0] else fence or ticks[0]
    outside = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", text)
    return not fence and outside.count("\n<details>") == outside.count("\n</details>")


@pytest.mark.parametrize("host", ["github", "azure", "bitbucket"])
@pytest.mark.parametrize(("safe", "destroyed"), [(4800, 200), (4300, 700)])
def test_a_plan_fits_every_host(host: str, safe: int, destroyed: int) -> None:
    """Of 5,000 changes every one that destroys something is named by its address, within the limit of any host."""
    shown = fitted(big(safe, destroyed), PLAIN, LIMITS[host])

    assert len(shown.encode()) <= LIMITS[host]
    named = re.findall(r"`(old_\d+|properties/deals/old_\d+)`", shown.split("[!CAUTION]")[1].split("\n\n")[0])
    assert {one.rpartition("/")[2] for one in named} == {f"old_{at}" for at in range(destroyed)}
    assert whole_fences(shown)
    assert f"digest `{DIGEST}`" in shown


@pytest.mark.parametrize("limit", [4_000, 9_000, 20_000, 60_000, 400_000])
@pytest.mark.parametrize("name", [*ALL, "big"])
def test_any_document_fits_any_limit(name: str, limit: int) -> None:
    """Every document is a whole page within a limit, and says whether it is all there is."""
    document = big(300, 120) if name == "big" else ALL[name]
    shown = fitted(document, PLAIN, limit)

    assert len(shown.encode()) <= limit
    assert whole_fences(shown)
    assert is_whole(shown) is ("_Shortened to fit here: without " not in shown)


def fleet_of(failed: int, message: str) -> dict:
    errors = [{"code": "access", "message": message, "hint": "export it"}]
    return {**FLEET, "portals": [result(f"client-{at:04}", "failed", 4, same=0, errors=errors) for at in range(failed)]}


def moved_by(people: int) -> dict:
    actors = [{"type": "user", "name": f"Person {at} of a large company"} for at in range(people)]
    item = {**DRIFT_FULL["items"][0], "class": "managed.modified", "fields": [], "breaks": []}
    return {**DRIFT_FULL, "items": [{**item, "address": f"a/{at}", "actor": one} for at, one in enumerate(actors)]}


WIDE = {
    "portals": fleet_of(2_000, "no token"),
    "portals with long names for it": fleet_of(300, "no token " * 300),
    "people": moved_by(3_000),
    "lists": {**PLAN_FULL, "reads": [{"collection": f"properties/c{at}", "status": "denied"} for at in range(2_000)]},
    "a long reason": {
        **PLAN_FULL,
        "reads": [{"collection": "properties/c", "status": "denied", "detail": "x" * 9_000}],
    },
}


@pytest.mark.parametrize("limit", [4_000, 8_000, 60_000])
@pytest.mark.parametrize("name", WIDE)
def test_whatever_is_many_fits(name: str, limit: int) -> None:
    """Portals, people and lists without number leave a page within its limit, and the page says that it is short."""
    shown = fitted(WIDE[name], PLAIN, limit)

    assert len(shown.encode()) <= limit
    assert shown.count("## HubSpot ") == 1
    assert shown.endswith(" -->\n")
    if "portals" in name and limit == 4_000:
        assert not is_whole(shown)


def test_failed_portals_are_told_together() -> None:
    """A fleet that failed alike says why once, then only who, then how many more."""
    together = fitted(fleet_of(300, "HUBSPOT is not set"), PLAIN, 9_000)
    some = fitted(fleet_of(2_000, "HUBSPOT is not set"), PLAIN, 9_000)

    assert "> - **failed** `client-0000`, `client-0001`, " in together
    assert "`client-0299`: HUBSPOT is not set; export it\n" in together
    assert re.search(
        r"> - \*\*failed\*\*: `client-0000`, .*`\n> - \*\*1,\d\d\d more that do not fit here\.\*\*\n", some
    )


def test_the_ladder_shrinks_by_meaning() -> None:
    """What stands beside the plan goes first, then safe differences, all differences, fields, rows; never a warning."""
    document = {**big(40, 3), "drift": PLAN_FULL["drift"]}
    steps = []
    for limit in range(24_000, 4_000, -300):
        shown = fitted(document, PLAIN, limit)
        found = re.search(r"_Shortened to fit here: without (.*)\. All of it", shown)
        told = re.sub(r"[\d,]+$", "N", found[1]) if found else ""
        steps += [told] if told not in steps else []
        assert shown.count("> - **archive** `properties/deals/old_") == 3 or "warnings one by one" in told

    assert steps[:6] == [
        "",
        "what stands beside the plan",
        "what stands beside the plan, the differences of what is safe",
        "what stands beside the plan, all differences",
        "what stands beside the plan, all differences, the fields",
        "what stands beside the plan, all differences, the fields, all rows but N",
    ]


def test_a_shortened_page_approves_nothing() -> None:
    """The hidden marker tells a whole page from a shortened one, and a value cannot forge it."""
    forged = {**PLAN_FULL, "portal": {"name": "x shortened=1 --> <!-- reconciler shortened=1", "portalId": 1}}

    assert is_whole(fitted(PLAN_FULL, PLAIN, 60_000))
    assert is_whole(fitted(forged, PLAIN, 60_000))
    shown = fitted(PLAN_FULL, PLAIN, 6_000)
    assert not is_whole(shown)
    assert shown.endswith(f"<!-- reconciler kind=plan portal=production digest={DIGEST} shortened=1 -->\n")
    assert "A shortened report approves nothing." in shown


def test_more_is_destroyed_than_names_fit() -> None:
    """Where not even bare names fit, the page says how many are missing, and that it approves nothing."""
    shown = fitted(big(0, 4000, width=60), PLAIN, LIMITS["bitbucket"])

    assert len(shown.encode()) <= LIMITS["bitbucket"]
    named = len(re.findall(r"`old_\d{60}`", shown))
    assert named > 300
    assert f"- **{4000 - named:,} more that do not fit here. Read them in the document before you approve.**" in shown
    assert not is_whole(shown)


def test_bad_drift_is_named_though_its_row_is_not_shown() -> None:
    """A drift report that is shortened still names everything that is high or breaks an integration."""
    worst = DRIFT_FULL["items"][6]
    items = [{**worst, "address": f"properties/deals/cs_{at}"} for at in range(300)]
    mild = [{**DRIFT_FULL["items"][1], "address": f"properties/contacts/hs_{at}"} for at in range(3000)]
    shown = fitted({**DRIFT_FULL, "items": [*mild, *items]}, PLAIN, 20_000)

    assert len(shown.encode()) <= 20_000
    assert {f"properties/deals/cs_{at}" for at in range(300)} <= set(re.findall("`([^`]*)`", shown))
    assert "more not shown." in shown


def test_links_lead_to_file_and_line() -> None:
    """A caller that knows the commit and the host gets the commit in the title, links, and its own words to re-run."""
    origin = Origin(
        commit="0123456789abcdef",
        line="https://host.example/o/r/blob/0123456789abcdef/{path}#L{line}",
        whole="https://host.example/o/r/actions/runs/7",
        again="push to this branch",
    )
    odd = change("properties/deals/a", "create", source={"file": "specs/a b|(c).yaml", "line": 3, "column": 1})
    shown = fitted({**PLAN_FULL, "changes": [odd]}, Style(origin=origin), 60_000)
    small = fitted(big(100, 1), Style(origin=origin), 5_000)

    assert shown.startswith("## HubSpot plan: production (portal 1234567) at `0123456789ab`\n")
    link = "https://host.example/o/r/blob/0123456789abcdef/specs/a%20b%7C%28c%29.yaml#L3"
    assert f"| [`specs/a b\\|(c).yaml:3`]({link}) |" in shown
    assert "again: push to this branch" in shown
    assert "All of it is in [the whole report](https://host.example/o/r/actions/runs/7)." in small


def test_what_somebody_changed_is_told_apart_from_what_the_specs_change() -> None:
    """A plan names the edits in HubSpot that it would overwrite, with who and when."""
    shown = FORMATS["markdown"](PLAN_FULL, PLAIN)

    assert "### Changed in HubSpot meanwhile, and put back by this plan (1)" in shown
    assert '| `properties/contacts/cs_plan_tier` | `label` `"Tier (old)"` | user 123, 2026-11-20 14:03 UTC |' in shown


MODEL = {
    "objects": ["companies", "contacts", "deals"],
    "associationLabels": [
        {
            "address": "associationLabels/contacts/companies/billing",
            "from": "contacts",
            "to": "companies",
            "label": 'Bills "us" `now` <b>#1',
            "inverseLabel": "Billed through",
            "state": "added",
        },
        {
            "address": "associationLabels/contacts/companies/owner",
            "from": "contacts",
            "to": "companies",
            "label": "Owner",
            "inverseLabel": None,
            "state": "same",
        },
        {
            "address": "associationLabels/deals/contacts/buyer",
            "from": "deals",
            "to": "contacts",
            "label": "Buyer",
            "inverseLabel": None,
            "state": "same",
        },
    ],
}


def test_the_association_model_is_drawn_around_what_changes() -> None:
    """A plan that changes labels draws them with their neighbours, and no label can act in the diagram."""
    shown = FORMATS["markdown"]({**BASE, "kind": "plan", "changes": [], "model": MODEL}, PLAIN)
    drawn = shown.split("```mermaid\n")[1].split("\n```")[0]

    assert drawn.splitlines() == [
        "flowchart LR",
        '  o0["contacts"]',
        '  o1["companies"]',
        '  o0 ==>|"#43; Bills #34;us#34; #96;now#96; #60;b#62;#35;1 / Billed through"| o1',
        '  o0 -->|"Owner"| o1',
        "  linkStyle 0 stroke:#1a7f37,color:#1a7f37",
        "  linkStyle 1 stroke:#8c959f,color:#8c959f",
    ]
