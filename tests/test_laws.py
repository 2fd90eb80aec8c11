"""Laws of CONTRACT 7 on made-up specs and portals: round trips, purity, and no destruction that nobody asked for.

``RECONCILER_EXAMPLES=1000`` tries that many; without it a few that are always the same.
"""

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_portal import settle_in

from reconciler.cli import run

EXAMPLES = int(os.environ.get("RECONCILER_EXAMPLES", "0"))
laws = settings(max_examples=EXAMPLES or 3, derandomize=not EXAMPLES, deadline=None, database=None)
GROUPS = ["g", "h"]

names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True).filter(lambda name: not name.startswith("hs_"))
texts = st.text("aZ 9_-:#'\"{}[]&*!|>%@`é→😀\\", min_size=1, max_size=12).filter(lambda text: text.strip() == text)
labels = st.one_of(texts, st.sampled_from(["NO", "on", "012", "1:30", "2026-01-01", "null", "~", "1e3"]))
values = st.one_of(labels, names).filter(lambda value: ";" not in value)


def options():
    choice = st.fixed_dictionaries({"value": values, "label": labels}, optional={"description": labels})
    return st.lists(choice, min_size=1, max_size=5, unique_by=(lambda one: one["value"], lambda one: one["label"]))


def definition(kind, field, **more):
    common = {"label": labels, "type": st.just(kind), "fieldType": st.just(field), "groupName": st.sampled_from(GROUPS)}
    maybe = {"description": labels, "hidden": st.booleans(), "formField": st.booleans()}
    return st.fixed_dictionaries({**common, **more}, optional=maybe)


properties = st.dictionaries(
    names,
    st.one_of(
        definition("string", "text"),
        definition("string", "textarea"),
        definition("number", "number", numberDisplayHint=st.sampled_from(["formatted", "percentage", "currency"])),
        definition("datetime", "date"),
        definition("enumeration", "select", options=options()),
        definition("enumeration", "checkbox", options=options()),
    ),
    min_size=1,
    max_size=6,
)
words = st.text("abcXYZ 12", min_size=2, max_size=8).map(str.strip).filter(lambda text: text[:1].isalpha())
stages = st.lists(words, max_size=3, unique_by=str.casefold)
pairs = st.dictionaries(names, words, max_size=3).filter(
    lambda named: len({text.casefold() for text in named.values()}) == len(named)
)
DEFAULTS = {"lead", "customer", "other", "subscriber", "opportunity", "evangelist"}


@st.composite
def entries(draw):
    """A specification as a list of small documents, each of which could stand in a file of its own."""
    found = [{"propertyGroups": {"contacts": {name: {"label": draw(labels)}}}} for name in GROUPS]
    found += [{"properties": {"contacts": {name: one}}} for name, one in draw(properties).items()]
    order = [
        {"name": f"s_{number}", "label": label}
        for number, label in enumerate(draw(stages))
        if label.casefold() not in DEFAULTS
    ]
    found += [{"lifecycleStages": [{"name": "lead"}, *order]}] if order else []
    found += [
        {"associationLabels": {"contacts": {"companies": {name: {"label": text}}}}}
        for name, text in draw(pairs).items()
    ]
    return found


def written(parts):
    """Writes documents as the specs, each into a file; JSON is YAML too."""
    for path in Path("specs").glob("*.yaml"):
        if path.name != "reconciler.yaml":
            path.unlink()
    for number, part in enumerate(parts):
        Path("specs", f"{number:02}.yaml").write_text(json.dumps(part, ensure_ascii=False), "utf-8")


def told(*words):
    """The exit code and the document of a command."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run([*words, "-o", "json"])
    return code, json.loads(out.getvalue() or "{}"), err.getvalue()


def quiet():
    """Nothing to do and nothing moved."""
    code, plan, err = told("plan", "--detailed-exitcode")
    assert (code, plan.get("changes")) == (0, []), err or plan
    code, drift, err = told("drift")
    assert (code, drift.get("items")) == (0, []), err or drift


def specs_now():
    return {str(path): path.read_bytes() for path in sorted(Path("specs").rglob("*")) if path.is_file()}


@laws
@given(entries(), st.randoms(use_true_random=False))
def test_what_is_applied_stays_and_what_is_imported_is_the_portal(parts, chance):
    """Laws 1, 2, 4 and 10: nothing is left to do after an apply or an import; what nobody declares is left alone."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        settle_in()
        Path("specs/spec.yaml").unlink()
        written(parts)
        code, applied, err = told("apply", "--auto-approve")
        assert (code, applied.get("errors")) == (0, []), err
        quiet()

        kept = [part for part in parts if chance.random() < 0.5] or parts[:1]
        written(kept)
        _, plan, err = told("plan")
        assert {change["action"] for change in plan["changes"]} <= {"forget"}, err or plan
        shutil.rmtree("specs/baselines")
        code, plan, err = told("plan", "--detailed-exitcode")
        assert code == 0, err or plan
        assert {change["action"] for change in plan["changes"]} <= {"adopt"}

        written([])
        code, _, err = told("import")
        assert code == 0, err
        quiet()
        before = specs_now()
        code, _, err = told("import")
        assert (code, specs_now()) == (0, before), err


@laws
@given(entries(), st.randoms(use_true_random=False))
def test_how_specs_are_split_and_ordered_does_not_matter(parts, chance):
    """Law 3: the same entries in other files and another order give the same changes and the same digest."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        settle_in()
        Path("specs/spec.yaml").unlink()
        written(parts)
        one = without_places(told("plan")[1])
        shuffled = [*parts]
        chance.shuffle(shuffled)
        written(shuffled)
        assert without_places(told("plan")[1]) == one


def without_places(plan):
    changes = [{key: value for key, value in change.items() if key != "source"} for change in plan["changes"]]
    return plan["digest"], changes


SPEC = """
propertyGroups: {contacts: {g: {label: İstanbul}}}
properties:
  contacts:
    tier:
      {label: Ünvan, type: enumeration, fieldType: select, groupName: g,
       options: [{value: I, label: ı}, {value: i, label: İ}]}
    note: {label: Note, type: string, fieldType: text, groupName: g, description: é}
lifecycleStages: [{name: lead}, {name: deneme, label: Deneme}, {name: iki, label: İki}]
associationLabels: {contacts: {companies: {imza: {label: Imza}}}}
removed: [{address: properties/contacts/gone, reason: r}, {address: properties/contacts/also, reason: r}]
"""


def test_hash_seed_and_locale_do_not_matter(tmp_path, monkeypatch):
    """Law 3 for what only a new process can change; C and Turkish are the locales that break naive programs."""
    monkeypatch.chdir(tmp_path)
    settle_in(spec=SPEC)
    plans = []
    for seed, locale in (("0", "C"), ("4711", "tr_TR.UTF-8")):
        environ = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": locale, "LANG": locale}
        words = [sys.executable, "-m", "reconciler", "plan", "-o", "json"]
        plans.append(subprocess.run(words, env=environ, capture_output=True, check=True).stdout)

    one, other = map(json.loads, plans)
    assert (one["changes"], one["digest"]) == (other["changes"], other["digest"])
    assert len(one["changes"]) == 7


@pytest.mark.parametrize(
    "text", ["{a: 1", "\t- x", "a: &a [*a]", "'", "? : :", "!!python/object:os.system {}", "%YAML 9"]
)
def test_broken_yaml_is_a_finding(tmp_path, monkeypatch, capsys, text):
    """Whatever stands in a spec file, the answer is exit 3 and a place."""
    monkeypatch.chdir(tmp_path)
    settle_in()
    Path("specs/broken.yaml").write_text(text, "utf-8")

    assert run(["plan", "--color", "never"]) == 3

    told = capsys.readouterr()
    assert "specs/broken.yaml:1:" in told.out + told.err
    assert "Traceback" not in told.out + told.err
