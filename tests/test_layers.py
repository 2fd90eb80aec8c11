import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import reconciler

PACKAGE = Path(reconciler.__file__).parent
DOORS = {
    "click": "cli/",
    "httpx": "client.py",
    "yaml": "yaml_events.py",
    "jsonschema": "spec.py",
    "deepdiff": "diff.py",
    "jinja2": "render/html.py",
}
BELOW = ("click", "httpx", "yaml", "jsonschema", "deepdiff")


@cache
def modules():
    return {path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text("utf-8")) for path in PACKAGE.rglob("*.py")}


def imported(tree, *, type_checking=False):
    """Absolute names that a module imports, anywhere in it, without what only type checkers see."""
    skipped = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING" and not type_checking:
            skipped |= {id(inner) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("package", DOORS)
def test_each_package_has_one_door(package):
    """A third-party package is imported by one module, and really imported there."""
    users = {name for name, tree in modules().items() if any(one.split(".")[0] == package for one in imported(tree))}

    assert users
    assert all(name.startswith(DOORS[package]) for name in users), users


def test_the_emulator_is_a_stranger():
    """The embedded portal imports nothing of ours, and we import only its front."""
    for name, tree in modules().items():
        ours = {one for one in imported(tree) if one.split(".")[0] == "reconciler"}
        if name.startswith("emulator/"):
            assert all(one.startswith("reconciler.emulator") for one in ours), name
            outside = {one.split(".")[0] for one in imported(tree)} - {"reconciler"} - sys.stdlib_module_names
            assert not outside, name
        else:
            inside = {one for one in ours if one.startswith("reconciler.emulator.") and one.count(".") > 2}
            assert not inside, name


LAYERS = {  # a module may import from the reconciler what stands here, and nothing else
    "address.py": set(),
    "errors.py": set(),
    "pace.py": set(),
    "model.py": {"address"},
    "diff.py": {"address", "model"},
    "paths.py": set(),
    "object_types.py": {"model", "paths"},
    "oddities.py": {"errors", "model"},
    "observe.py": {"diff", "kinds", "model", "oddities"},
    "guards.py": {"address", "model", "plan"},
    "order.py": set(),
    "yaml_events.py": set(),
    "yaml_loader.py": {"yaml_events"},
    "yaml_writer.py": set(),
}


@pytest.mark.parametrize("name", LAYERS)
def test_lower_layers_know_nothing_of_higher_ones(name):
    """Code that decides imports only what lies below it."""
    ours = {
        one.split(".")[1]
        for one in imported(modules()[name])
        if (one.startswith("reconciler.") and (PACKAGE / f"{one.split('.')[1]}.py").exists())
        or one.startswith("reconciler.kinds")
    }

    assert ours <= LAYERS[name]


def test_deciding_code_does_no_io():
    """Planning, comparing and guarding open no file and no connection."""
    for name in ("plan.py", "diff.py", "guards.py", "drift.py", "observe.py", "importer.py"):
        names = set(imported(modules()[name]))
        assert not names & {"os", "socket", "subprocess", "httpx", "reconciler.client"}, name


HEAVY = {"httpx", "jsonschema", "deepdiff", "jinja2", "asyncio", "ssl", "rich", "ruamel"}


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["validate"],
        ["plan", "--help"],
        ["plan", "--from-snapshot", "live.json"],
    ],
    ids=" ".join,
)
def test_start_up_is_lazy(tmp_path, words):
    """Help, validation of sound specs and an offline plan load no HTTP client, schema library or deep comparison."""
    script = f"""
import json, os, sys
from pathlib import Path
from tests.benchmarks import made_up
listed = made_up.properties(20)
os.chdir({str(tmp_path)!r})
made_up.directory(Path("specs"), made_up.spec(made_up.changed(listed)), made_up.settings())
Path("live.json").write_text(made_up.recording(made_up.answers(listed)))
from reconciler.cli import run
code = run({words!r})
loaded = {{name.split(".")[0] for name in sys.modules}}
print(code, sorted(loaded & {HEAVY!r}), file=sys.stderr)
"""
    root = Path(__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=root, check=True)

    assert done.stderr.strip().endswith("0 []")


def test_the_benchmarks_run():
    """The benchmarks print their table, here for a tiny portal and a part of the rows."""
    words = ["-m", "tests.benchmarks", "--sizes", "20", "--rounds", "1", "write"]
    root = Path(__file__).parent.parent
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, cwd=root, check=True)

    assert [line.split(" | ")[0] for line in done.stdout.splitlines()] == [
        "| what",
        "|---|---|---|---|---|---|---|",
        "| writing YAML",
        "| import, all of it",
    ]
