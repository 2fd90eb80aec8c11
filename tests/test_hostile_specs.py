"""Spec files that want the machine: a clear error for each, in little memory and time."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

MEMORY, SECONDS = 1 << 30, 60  # of processor time, for all of them together
LAUGHS = "x-0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"x-{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 10)
)
BILLION = LAUGHS.replace("[1, 1, 1, 1, 1, 1, 1, 1, 1, 1]", f"[{', '.join(['{value: v, label: L}'] * 10)}]") + (
    "properties: {contacts: {tier: {label: T, type: enumeration, fieldType: select, groupName: g, options: *a9}}}\n"
)
NUMBER = "propertyGroups: {contacts: {g: {label: G, displayOrder: %s}}}\n"

FILES = {  # what stands in the file, what the run ends with, and what it says
    "alias-bomb": (LAUGHS, 3, "aliases"),
    "billion-options": (BILLION, 3, "aliases"),
    "itself": ("properties: &all {contacts: *all}\n", 3, "alias"),
    "deep-flow": ("propertyGroups: " + "[" * 200_000, 3, "nest"),
    "deep-block": ("\n".join(" " * depth + "a:" for depth in range(3000)), 3, "nested deeper"),
    "fifty-megabytes": ("# " + "x" * (50 << 20), 3, "larger than 32 MiB"),
    "ten-million-values": ("x-a: [" + "1," * 10_000_000 + "1]\n", 3, "more than 3,000,000 values"),
    "nul": ("propertyGroups: {contacts: {g: {label: 'a\0b'}}}\n", 3, "U+0000"),
    "nothing-but-nul": ("\0" * 10_000, 3, "not UTF-8"),
    "huge-integer": (NUMBER % ("9" * 100_000), 3, "displayOrder"),
    "huge-hexadecimal": (NUMBER % ("0x" + "f" * 5000), 3, "displayOrder"),
    "huge-float": (NUMBER % "1e400", 3, "displayOrder"),
    "long-key": (f"? {'k' * 1_000_000}\n: 1\n", 3, ""),
    "many-options": (
        "properties: {contacts: {tier: {label: T, type: enumeration, fieldType: select, groupName: g, options: ["
        + ", ".join(f"{{value: v{number}, label: L{number}}}" for number in range(20_000))
        + "]}}}\n",
        3,
        "HubSpot takes 5000",
    ),
    "no-utf-8": (b"propertyGroups: \xff\xfe\xff", 3, "UTF-8"),
}

SCRIPT = """
import contextlib, io, json, resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({memory}, {memory}))
resource.setrlimit(resource.RLIMIT_CPU, ({seconds}, {seconds}))
from reconciler.cli import run
told = {{}}
for name in sys.argv[1:]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code = run(["validate", "--specs", name])
    told[name] = [code, out.getvalue()[:20000]]
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What validation says of each, in a process that may take neither much memory nor much time."""
    folder = tmp_path_factory.mktemp("specs")
    for name, (content, _, _) in FILES.items():
        directory(folder / name)
        data = content if isinstance(content, bytes) else content.encode()
        (folder / name / "spec.yaml").write_bytes(data)
        directory(folder / f"settings-{name}")
        (folder / f"settings-{name}" / "reconciler.yaml").write_bytes(data)
        (folder / f"settings-{name}" / "spec.yaml").write_text("propertyGroups: {contacts: {g: {label: G}}}\n", "utf-8")
    directory(folder / "loops")
    (folder / "loops" / "loop").symlink_to(".", target_is_directory=True)
    (folder / "loops" / "a.yaml").symlink_to("b.yaml")
    (folder / "loops" / "b.yaml").symlink_to("a.yaml")
    script = SCRIPT.format(memory=MEMORY, seconds=SECONDS)
    names = [path.name for path in folder.iterdir()]
    done = subprocess.run([sys.executable, "-c", script, *names], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def directory(path: Path):
    path.mkdir()
    (path / "reconciler.yaml").write_text("version: 1\nportals: {demo: {emulator: demo.json}}\n", "utf-8")


@pytest.mark.parametrize("name", FILES)
def test_a_hostile_spec_is_refused(told, name):
    """The file is named, and so is what is wrong with it."""
    code, said = told[name]

    assert code == FILES[name][1], said
    assert "spec.yaml" in said
    assert FILES[name][2] in said
    assert "internal error" not in said


@pytest.mark.parametrize("name", FILES)
def test_hostile_settings_are_refused(told, name):
    """The same in place of the settings."""
    code, said = told[f"settings-{name}"]

    assert code == 3, said
    assert "reconciler.yaml" in said
    assert "internal error" not in said


def test_links_that_go_round_are_no_trap(told):
    """A directory in itself is read once; a file that leads to itself is said to be unreadable."""
    code, said = told["loops"]

    assert code == 3
    assert "a.yaml" in said
    assert "internal error" not in said
