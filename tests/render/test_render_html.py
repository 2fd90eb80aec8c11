"""The page is one self-contained file that shows everything and lets nothing act."""

import json
import re
from html.parser import HTMLParser

import pytest
from render_documents import ALL, DRIFT_FULL, EVIL, HOSTILE, PLAN_FULL, change, given, options, source
from test_render_budget import MODEL

from reconciler.cli import run
from reconciler.render import FORMATS, Style
from reconciler.render.style import Origin

STAGES = {
    "before": [{"name": "lead", "label": "Lead"}, {"name": "old", "label": "Old"}],
    "after": [{"name": "trial", "label": "Trial"}, {"name": "lead", "label": "Lead"}],
}
PICTURED = {**PLAN_FULL, "model": {**MODEL, "lifecycleStages": STAGES}}
WATCHED = {
    **DRIFT_FULL,
    "timeline": [
        {"at": f"2026-11-{day:02}T09:00:00Z", "open": day, "new": 1, "resolved": 0, "bySeverity": {"low": day}}
        for day in (1, 2, 3)
    ],
    "coverage": {
        "managed": 120,
        "unmanaged": 51,
        "hubspot": 310,
        "objectTypes": [
            {"objectType": "contacts", "declared": 84, "ignored": 4, "unmanaged": 30, "hubspotDefined": 310}
        ],
        "limits": [{"name": "association labels", "used": 47, "limit": 50}],
    },
}
PAGES = {**ALL, "pictured": PICTURED, "watched": WATCHED}


class Page(HTMLParser):
    """Elements, ids and text of a page; fails where a tag is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict]] = []
        self.said = ""
        self.data = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.data += data
        elif not self.open or self.open[-1] != "style":
            self.said += data

    def ids(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.tags if "id" in attributes]


def page(document: dict, style: Style = Style()) -> Page:  # noqa: B008
    return Page(FORMATS["html"](document, style))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_and_alone(name: str) -> None:
    """Every document is a well-formed page that loads nothing, runs nothing and leads only where it has an anchor."""
    shown = page(PAGES[name])
    ids = shown.ids()

    assert len(ids) == len(set(ids))
    assert [attributes for tag, attributes in shown.tags if tag == "script"] == [
        {"type": "application/json", "id": "document"}
    ]
    for tag, attributes in shown.tags:
        assert tag not in ("img", "iframe", "link", "object", "form", "base", "b0", "h")
        assert not {"src", "style", "srcset"} & set(attributes)
        assert not [key for key in attributes if key.startswith("on")]
        if "href" in attributes:
            assert attributes["href"].removeprefix("#") in ids
        for name_ in (attributes.get("aria-labelledby"),):
            assert name_ is None or name_ in ids


@pytest.mark.parametrize("name", PAGES)
def test_a_page_holds_its_document(name: str) -> None:
    """The document is in the page, whole, and nothing in it closes its element."""
    text = FORMATS["html"](PAGES[name], Style())

    assert json.loads(Page(text).data) == json.loads(json.dumps(PAGES[name]))
    assert text.count("</script>") == 1


def test_hostile_strings_are_text() -> None:
    """Markup in a label is shown, and characters that act or deceive are shown as escapes."""
    shown = page(HOSTILE)

    assert {tag for tag, _ in shown.tags} <= {tag for tag, _ in page(PLAN_FULL).tags} | {"pre"}
    assert "<script>alert(1)</script>" in shown.said
    for text in EVIL:
        assert not [char for char in "\x1b\u202e\u200b\ud800" if char in shown.said], text


def test_anchors_are_stable() -> None:
    """A definition has the same anchor in every report, and a file and line link where the host is known."""
    origin = Origin(commit="abcdef0123456", line="https://host.example/blob/abcdef/{path}#L{line}")
    shown = page(PLAN_FULL, Style(origin=origin))

    assert "properties/contacts/cs_plan_tier" in shown.ids()
    links = [attributes["href"] for tag, attributes in shown.tags if tag == "a"]
    assert "https://host.example/blob/abcdef/specs/customer-success.yaml#L31" in links
    assert "#properties/contacts/old_score" in links


@pytest.mark.parametrize(
    ("document", "pictures", "facts"),
    [
        (
            PICTURED,
            {"labels-title", "stages-title"},
            ["associationLabels/contacts/companies/billing", "Billed through", "added", "old", "removed", "new"],
        ),
        (WATCHED, {"timeline-title", "coverage-title", "limits-title"}, ["2026-11-02 09:00 UTC", "84", "310", "47"]),
    ],
    ids=["plan", "drift"],
)
def test_pictures_have_tables(document: dict, pictures: set, facts: list) -> None:
    """Every picture has a title and stands beside a table of the same facts."""
    shown = FORMATS["html"](document, Style())
    cells = re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", shown)

    assert pictures <= set(Page(shown).ids())
    assert shown.count('role="img"') == shown.count('<details class="table">') == len(pictures)
    assert set(facts) <= set(cells)


def test_a_thousand_changes_stay_small() -> None:
    """A plan of 1,000 changes is a page of less than 3 MB that names every one of them."""
    fields = given(label="Score", type="enumeration", fieldType="select", options=options("a", "b"))
    changes = [change(f"properties/contacts/cs_{at}", "create", fields, source=source(at)) for at in range(1000)]
    shown = FORMATS["html"]({**PLAN_FULL, "changes": changes}, Style())

    assert len(shown.encode()) < 3_000_000
    assert shown.count('<details class="card"') == 1000


def test_what_has_no_cards_is_told_line_by_line(tmp_path, monkeypatch, capsys) -> None:
    """Pages of doctor, explain and fleet say what the terminal says, each line of it."""
    monkeypatch.chdir(tmp_path)
    assert run(["-q", "init"]) == 0
    for words, said in (
        (["doctor"], "an embedded portal needs none"),
        (["explain", "properties/contacts/cs_plan_tier"], "specs/contacts.yaml:"),
        (["fleet", "plan"], "missing"),
    ):
        capsys.readouterr()
        run(["-q", *words, "-o", "html"])
        shown = Page(capsys.readouterr().out)
        assert "pre" in {tag for tag, _ in shown.tags}
        assert said in shown.said, words


def test_nothing_is_said_twice_and_no_flag_is_cut_in_two() -> None:
    """A fleet's page names its command and its counts once; a browser breaks no line inside `--allow`."""
    fleet = page(ALL["fleet"])

    assert fleet.said.count("Fleet: 5 portals") == 1
    assert "HubSpot fleet plan" in fleet.said
    assert '<span class="flag">--allow</span>' in FORMATS["html"](PLAN_FULL, Style())
