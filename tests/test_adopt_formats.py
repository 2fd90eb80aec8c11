import copy
import os
from difflib import SequenceMatcher

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler import yaml_writer
from reconciler.adopt import edited
from reconciler.yaml_loader import load

EXAMPLES = int(os.environ.get("ADOPT_EXAMPLES", "40"))
TEXTS = st.sampled_from(
    [
        "Tier",
        "It's",
        'A "b"',
        "NO",
        "on",
        "012",
        "1:30",
        "a: b",
        "c #d",
        "x, y",
        "[z]",
        "Größe 🙂",
        "- w",
        "",
        "~",
        " v ",
    ]
)
TYPES = st.sampled_from(["string", "number", "enumeration"])


@st.composite
def options(draw):
    values = draw(
        st.lists(st.sampled_from(["x", "y", "z", "NO", "a/b", "12", "e f"]), min_size=1, max_size=4, unique=True)
    )
    extra = st.dictionaries(st.just("hidden"), st.booleans(), max_size=1)
    return [{"value": value, "label": draw(TEXTS), **draw(extra)} for value in values]


@st.composite
def properties(draw):
    made = {"label": draw(TEXTS)}
    if draw(st.booleans()):
        made["type"] = draw(TYPES)
    if draw(st.booleans()):
        made["description"] = draw(st.sampled_from(["one", "one two\nthree\n", "NO", "a: b"]))
    if draw(st.booleans()):
        made["options"] = draw(options())
    return made


SPECS = st.fixed_dictionaries(
    {
        "properties": st.fixed_dictionaries(
            {"contacts": st.dictionaries(st.sampled_from("abcd"), properties(), min_size=1)}
        )
    }
)


class Writer:
    """Writes a value as YAML in a style that is drawn anew at every place, and knows whose every line is."""

    def __init__(self, draw):
        self.draw = draw
        self.lines = []  # text, path of the entry that the line is about; none for a comment or a blank line

    def some(self, *choices):
        return self.draw(st.sampled_from(choices))

    def add(self, text, path, comment=True):
        tail = self.some("", "", "  # it's: a note", " ") if comment else ""
        self.lines.append((text + tail, path))

    def aside(self, indent):
        for _ in range(self.some(0, 0, 0, 1)):
            self.lines.append((self.some("", " " * indent + "# about: this", "# odd"), None))

    def scalar(self, value, flow):
        if isinstance(value, str):
            style = self.some("plain", "single", "double")
            if style == "single" and value.isprintable():
                return "'" + value.replace("'", "''") + "'"
            return yaml_writer.write_scalar(value, flow, quoted=style == "double")
        return yaml_writer.write_scalar(value, flow)

    def key(self, name, flow=False):
        return self.scalar(name, flow) + self.some("", "", " ") + ":"

    def flow(self, value):
        if isinstance(value, dict):
            gap = self.some("", " ")
            inner = self.some(", ", " , ").join(
                f"{self.key(name, True)} {self.flow(one)}" for name, one in value.items()
            )
            return "{" + gap + inner + self.some("", ",") * bool(value) + gap + "}"
        if isinstance(value, list):
            return "[" + self.some(", ", ",  ").join(map(self.flow, value)) + "]"
        return self.scalar(value, True)

    def mapping(self, value, path, indent, first=""):
        for name, one in value.items():
            here = (*path, name)
            if not first:
                self.aside(indent)
            head = (first or " " * indent) + self.key(name)
            first = ""
            self.entry(head, one, here, indent)

    def entry(self, head, value, path, indent):
        if isinstance(value, str) and "\n" in value and self.some(True, False):
            self.add(f"{head} |{'' if value.endswith(chr(10)) else '-'}", path)
            for line in value.removesuffix("\n").split("\n"):
                self.add(" " * (indent + 2) + line, path, comment=False)
        elif not isinstance(value, (dict, list)):
            self.add(f"{head}{self.some(' ', '  ')}{self.scalar(value, False)}", path)
        elif len(path) > 2 and self.some(True, False, False):
            self.add(f"{head} {self.flow(value)}", path)
        elif isinstance(value, dict):
            self.add(head, path)
            self.mapping(value, path, indent + self.some(1, 2, 4))
        else:
            self.add(head, path)
            self.list(value, path, indent + self.some(0, 2, 3))

    def list(self, value, path, indent):
        dash = " " * indent + "-" + self.some(" ", "   ")
        for item in value:
            self.aside(indent)
            here = (*path, item["value"])
            if self.some(True, False):
                self.add(dash + self.flow(item), here)
            else:
                self.mapping(item, here, len(dash), first=dash)


@st.composite
def files(draw):
    """A spec, its text in an odd style, whose each line is, and its line ends."""
    spec = draw(SPECS)
    writer = Writer(draw)
    if draw(st.booleans()):
        writer.lines.append((draw(st.sampled_from(["---", "# head", "--- # head", ""])), None))
    writer.mapping(spec, (), 0)
    newline = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    text = newline.join(line for line, _ in writer.lines)
    bom, end = draw(st.sampled_from(["", "\ufeff"])), draw(st.sampled_from([newline, "", newline * 2]))
    text = bom + text + end
    return load(text, "").value, text, [path for _, path in writer.lines]


@st.composite
def edits(draw, spec):
    """What somebody could have done in the portal to one definition, and the paths that it is about."""
    after = copy.deepcopy(spec)
    entries = after["properties"]["contacts"]
    name = draw(st.sampled_from(sorted(entries)))
    entry, path = entries[name], ("properties", "contacts", name)
    choices = ["label", "field", "entry", "drop"] if len(entries) > 1 else ["label", "field", "entry"]
    match draw(st.sampled_from(choices + ["option", "remove", "insert", "order"] * ("options" in entry))):
        case "label":
            entry["label"] = draw(TEXTS)
            return after, [(*path, "label")]
        case "field":
            if "description" in entry and draw(st.booleans()):
                del entry["description"]
            else:
                entry["description"] = draw(st.sampled_from(["three", "two\nlines\n", "c #d"]))
            return after, [(*path, "description")]
        case "entry":
            entries["new"] = draw(properties())
            return after, [("properties", "contacts", "new")]
        case "drop":
            del entries[name]
            return after, [path]
        case "option":
            option = draw(st.sampled_from(entry["options"]))
            option["label"] = draw(TEXTS)
            return after, [(*path, "options", option["value"], "label")]
        case "remove":
            if len(entry["options"]) == 1:
                return after, []
            gone = entry["options"].pop(draw(st.integers(0, len(entry["options"]) - 1)))
            return after, [(*path, "options", gone["value"])]
        case "insert":
            at = draw(st.integers(0, len(entry["options"])))
            entry["options"].insert(at, {"value": "new", "label": draw(TEXTS)})
            return after, [(*path, "options", "new")]
        case _:
            entry["options"] = draw(st.permutations(entry["options"]))
            return after, [(*path, "options")]


def lines(text):
    return text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_only_lines_of_what_changed_differ(data):
    """Whatever the formatting and the edit: the text says what was meant, and no other line was touched."""
    spec, text, owners = data.draw(files())
    wanted, paths = data.draw(edits(spec))

    after = edited(text, wanted)

    assert load(after, "").value == wanted
    assert ("\r\n" in after) == ("\r\n" in text) or "\n" not in text
    assert "\n" not in after.replace("\r\n", "") or "\r\n" not in text
    assert after.startswith("\ufeff") == text.startswith("\ufeff")
    if wanted == spec:
        assert after == text
    takes_away = len(str(wanted)) < len(str(spec)) or any(path[-1] == "options" for path in paths)
    for line, owner in removed_lines(text, after, owners):
        if owner is None:
            assert takes_away, line  # a comment goes with what it stands above, and with nothing else
        else:
            assert any(about(owner, path, line) for path in paths), (line, paths)


def removed_lines(text, after, owners):
    """The lines of the old text that are not in the new one, and what they are about."""
    matcher = SequenceMatcher(None, lines(text), lines(after), autojunk=False)
    for tag, start, end, _, _ in matcher.get_opcodes():
        for index in range(start, end) if tag in ("replace", "delete") else ():
            yield lines(text)[index], owners[index] if index < len(owners) else None


def about(owner, path, line):
    """Whether a line is part of what changed, or holds it in braces."""
    return owner[: len(path)] == path or (path[: len(owner)] == owner and any(sign in line for sign in "{["))
