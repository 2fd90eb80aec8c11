"""Strings of HubSpot's cannot act on what prints them."""

import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from render_documents import ALL, DRIFT_FULL, HOSTILE, change, source

from reconciler.render import FORMATS, Style, escape

NASTY = st.text(
    st.one_of(st.sampled_from("`|\\<>@#:*_[]()~!&-\n\r\t\x1b\u202e\u200b\ud800\ufffe\uffff avso"), st.characters()),
    max_size=40,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Plan tier", "Plan tier"),
        ("Türkiye 日本 \U0001f469\u200d\U0001f4bb", "Türkiye 日本 \U0001f469\u200d\U0001f4bb"),
        ("a::b", "a::b"),
        ("::set-output name=x::y", "\\u003a:set-output name=x::y"),
        ("  ::warning::x", "  \\u003a:warning::x"),
        ("x ##vso[task.complete]", "x #\\u0023vso[task.complete]"),
        ("##[error]x", "#\\u0023[error]x"),
        ("####[error]x", "###\\u0023[error]x"),
        ("##teamcity[x]", "#\\u0023teamcity[x]"),
        ("## heading", "## heading"),
        ("\x1b[31mred\x07", "\\u001b[31mred\\u0007"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("pay\u200bpal", "pay\\u200bpal"),
        ("a\u200db", "a\\u200db"),
        ("a\u00a0b", "a\\u00a0b"),
        ("\ud800", "\\ud800"),
        ("\uffff \ufffe \ufdd0 \U0010ffff \u0378", "\\uffff \\ufffe \\ufdd0 \\U0010ffff \u0378"),
    ],
)
def test_terminal(text: str, shown: str) -> None:
    """What a terminal or a CI log would obey is shown as an escape; all else stays as it is."""
    assert escape.terminal(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain words, 100 %.", "plain words, 100 %."),
        ("@octocat", "@&#8203;octocat"),
        ("fixes #12", "fixes #&#8203;12"),
        ("a|b `c` *d* _e_", "a\\|b \\`c\\` \\*d\\* \\_e\\_"),
        ("<script>&amp;", "&lt;script&gt;&amp;amp;"),
        ("[x](https://e.example)", "\\[x\\](https\\://e.example)"),
        ("www.e.example", "www\\.e.example"),
    ],
)
def test_markdown(text: str, shown: str) -> None:
    """Text in Markdown means nothing but itself, links nowhere and notifies nobody."""
    assert escape.markdown(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a", "`a`"),
        ("a`b", "``a`b``"),
        ("`a`", "`` `a` ``"),
        ("", "` `"),
        ("<!-- reconciler kind=plan -->", "`<!\\u002d- reconciler kind=plan -->`"),
    ],
)
def test_code(text: str, shown: str) -> None:
    """Nothing inside a code span can end it, and no value can forge the marker of our comments."""
    assert escape.code(text) == shown


def test_cell() -> None:
    """A pipe does not end a table cell, also where a backslash stands before it."""
    assert escape.cell("a|b") == "`a\\|b`"
    assert escape.cell("a\\|b") == "`a\\\\u007cb`"


def test_fence() -> None:
    """A code block is longer than any fence inside it."""
    assert escape.fence(["```", "````` x"], "diff") == ["``````diff", "```", "````` x", "``````"]


@given(NASTY)
def test_terminal_is_one_harmless_line(text: str) -> None:
    """Whatever the text, one line comes out that can be encoded, does not act, and is not escaped twice."""
    shown = escape.terminal(text)
    shown.encode()
    assert "\n" not in shown
    assert "\x1b" not in shown
    assert not re.search(r"^\s*::|##[A-Za-z]*\[", shown)
    assert escape.terminal(shown) == shown


@given(NASTY, st.sampled_from(["text", "markdown", "json"]), st.booleans())
def test_no_string_acts_in_a_report(text: str, format_: str, color: bool) -> None:
    """A string in any place of a document adds no line that a CI system or terminal obeys."""
    address = f"properties/contacts/{text.replace('%', '%25').replace('/', '%2F')}"
    fields = [{"path": "label", "before": text, "after": text + "x"}, {"path": "options/a", "after": {"label": text}}]
    hostile = change(address, "update", fields, title=text, source=source(1))
    shown = FORMATS[format_]({**HOSTILE, "changes": [hostile], "errors": [], "findings": []}, Style(color=color))
    shown.encode()
    bare = re.sub(r"\x1b\[[0-9;]*m", "", shown) if color else shown
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ud800-\udfff]", bare)
    assert not re.search(r"(?m)^\s*::|##[A-Za-z]*\[", bare)


@given(NASTY)
def test_junit_is_xml_whatever_it_tells(text: str) -> None:
    """No string makes a report that no CI system can parse, and so hides every other failure in it."""
    document = {**DRIFT_FULL, "items": [{**DRIFT_FULL["items"][0], "title": text, "address": f"a/{text}"}]}
    ElementTree.fromstring(FORMATS["junit"](document, Style()))


@given(st.recursive(NASTY, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NASTY, inner, max_size=3)))
def test_json_means_the_same(value: object) -> None:
    """JSON is read back to the very same document, whatever strings are in it, and can always be encoded."""
    shown = FORMATS["json"]({"a": value}, Style())
    shown.encode()
    assert json.loads(shown) == {"a": value}


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", ALL)
def test_markdown_is_well_formed(name: str) -> None:
    """Tables keep their columns, fences and folds are closed, and the only HTML is ours."""
    tags, fence, columns = _Tags(), "", 0
    for line in FORMATS["markdown"](ALL[name], Style()).splitlines():
        if ticks := re.match("```+", line):
            fence = "" if fence == ticks[0] else fence or ticks[0]
        elif not fence:
            columns = _same_columns(line, columns)
            tags.feed(re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", line) + "\n")
    assert fence == ""
    assert tags.open == []
    assert tags.seen <= {"details", "summary", "code", "sub"}


def _same_columns(line: str, columns: int) -> int:
    if not line.startswith("|"):
        return 0
    found = len(re.findall(r"(?<!\\)(?:\\\\)*\|", line))
    assert columns in (0, found), line
    return found


@pytest.mark.parametrize("name", ["plan", "hostile"])
def test_markdown_through_a_real_renderer(name: str) -> None:
    """A Markdown renderer that lets HTML through makes of a comment only the elements that are ours, and no link."""
    from markdown_it import MarkdownIt

    shown = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(FORMATS["markdown"](ALL[name], Style()))
    made = set(re.findall(r"<([a-zA-Z][a-zA-Z0-9]*)", shown))

    ours = "blockquote br code details em h2 h3 hr li p pre strong sub summary table tbody td th thead tr ul".split()
    assert made <= set(ours), made - set(ours)
    assert shown.count("<!--") == 1
