"""Strings of HubSpot's that want to act on what shows them: every format stays whole, and shows them harmlessly."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt
from small_portal import STATE, settle_in

from reconciler.cli import run
from reconciler.render import FORMATS

HOSTILE = [
    "::set-output name=x::y",
    "\r\n::error file=x::owned",
    "%0A::error::owned",
    "##[error]owned",
    "##vso[task.complete]owned",
    "\x1b[31mred\x1b[2J",
    "\x1b]8;;https://evil.example\x07link\x1b]8;;\x07",
    "\u202egnp.exe\u2066x",
    "pay\u200bpal\ufeff",
    "```\n# heading\n```",
    "~~~~\n<b>x",
    "@octocat fixes #12",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</td></tr></table><h1>x",
    '" onmouseover="alert(1)',
    "--><!-- x",
    "]]><x/>",
    "[bold red]x[/bold red]",
    "[x](https://evil.example)",
    "![x](https://evil.example/p.png)",
    "<https://evil.example>",
    "| a | b |\n|---|---|",
    "a\x00b\x7f\x85\u2028",
    "</details><details open>",
    "\ud800 half",
    "x" * 65_536,
]
ACTS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
COMMANDS = re.compile(r"^\s*::(?!(error|warning|notice|group|endgroup|debug)\b)|##\[|##vso\[|##teamcity\[", re.M)
OUR_TAGS = {"details", "summary", "br", "sub", "sup", "b", "i", "code", "em", "strong", "p", "kbd", "picture", "source"}


def spec(label):
    entries = "".join(
        f"    h{number}: {{label: {label} {number}, description: d, type: enumeration, fieldType: select, "
        f"groupName: g, options: [{{value: a, label: {label}}}]}}\n"
        for number in range(len(HOSTILE))
    )
    return f"propertyGroups: {{contacts: {{g: {{label: G}}}}}}\nproperties:\n  contacts:\n{entries}"


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """A plan, a drift and an apply of a portal in which every text is hostile, in every format."""
    patch = pytest.MonkeyPatch()
    patch.chdir(tmp_path_factory.mktemp("hostile"))
    settle_in(spec=spec("Clean"))
    assert run(["apply", "-q", "--auto-approve"]) == 0
    make_hostile()
    texts = {}
    for command, more, code in (("plan", [], 0), ("drift", [], 2), ("apply", ["--auto-approve"], 0)):
        assert run([command, "-q", *more, "-o", f"json:{command}.json"]) == code
        for name in FORMATS:
            file = Path(f"{command}.{name}.out")
            ended = run(["show", "-q", f"{command}.json", "-o", f"{name}:{file}"])
            assert ended == 0 or (ended == 3 and name.startswith("gitlab")), name  # it has no word for this document
            texts[command, name] = file.read_bytes().decode("utf-8") if ended == 0 else ""
    patch.undo()
    return texts


def make_hostile():
    """Somebody renames everything in the portal."""
    state = json.loads(STATE.read_text("utf-8"))
    for number, text in enumerate(HOSTILE):
        one = state["objects"]["0-1"]["properties"][f"h{number}"]
        one |= {"label": text, "description": text, "updatedUserId": "7", "updatedAt": "2030-01-01T00:00:00.000Z"}
        one["options"][0] |= {"label": text}
    STATE.write_text(json.dumps(state), "utf-8")


DOCUMENTS = ("plan", "drift", "apply")


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("name", FORMATS)
def test_no_sign_of_a_format_acts(shown, document, name):
    """No control, bidirectional or zero-width character, no half character, and no command of a CI log gets through."""
    text = shown[document, name]

    assert not ACTS.findall(text)
    assert not COMMANDS.findall(text)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_json_holds_every_string_as_it_is(shown, document):
    """The document is JSON in which nothing was lost."""
    whole = json.loads(shown[document, "json"])

    text = json.dumps(whole)
    assert all(json.dumps(one)[1:-1] in text for one in HOSTILE)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_markdown_means_nothing_but_itself(shown, document):
    """A parser of Markdown finds no link, no picture, no heading of theirs, and no tag but ours."""
    text = shown[document, "markdown"]

    tokens = [
        inner
        for token in MarkdownIt("commonmark").enable("table").parse(text)
        for inner in (token, *(token.children or ()))
    ]

    links = [
        token.attrGet("href") or token.attrGet("src") or "" for token in tokens if token.type in ("link_open", "image")
    ]
    assert not [link for link in links if "evil" in link]
    html = "".join(token.content for token in tokens if token.type in ("html_inline", "html_block"))
    assert set(re.findall(r"</?(\w+)", html)) <= OUR_TAGS
    assert "onerror" not in html
    headings = [tokens[at + 1].content for at, token in enumerate(tokens) if token.type == "heading_open"]
    assert "heading" not in headings
    assert not re.search(r"(?<![\w`])@octocat", "".join(token.content for token in tokens if token.type == "text"))


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_html_holds_no_tag_of_theirs(shown, document):
    """Their tags and attributes are text, where there is HTML."""
    tags = Tags()
    text = shown.get((document, "html"), "")
    tags.feed(text)

    assert not [attrs for _, attrs in tags.found if any(key.startswith("on") for key in attrs)]
    assert not [tag for tag, _ in tags.found if tag in ("h1", "img") and "alert" in str(tag)]
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert 'href="https://evil' not in text


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("name", [name for name in FORMATS if name in ("junit", "sarif") or name.startswith("gitlab")])
def test_machine_formats_are_well_formed(shown, document, name):
    """XML is XML, JSON is JSON."""
    text = shown[document, name]

    if name == "junit":
        assert ElementTree.fromstring(text).tag
    else:
        assert text == "" or json.loads(text) is not None
