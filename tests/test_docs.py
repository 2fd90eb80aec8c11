import re
import runpy
import tomllib
from pathlib import Path

import pytest

from reconciler import yaml_loader
from reconciler.cli import COMMANDS, run
from reconciler.errors import ExitCode
from reconciler.render import FORMATS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_the_samples_are_what_the_commands_print():
    """The README shows real output; `.ci/build_docs.py` writes it."""
    build = runpy.run_path(str(ROOT / ".ci" / "build_docs.py"))

    assert build["filled"](README) == README


def test_the_plan_of_the_example_is_fresh():
    """The example shows the comment that its specs really give."""
    build = runpy.run_path(str(ROOT / ".ci" / "build_docs.py"))
    written = (ROOT / "examples" / "gitops-pull-request" / "plan.md").read_text("utf-8")

    assert build["example_plan"]() == written


@pytest.mark.parametrize("path", sorted(ROOT.glob("examples/**/*.yaml")), ids=lambda path: path.name)
def test_every_example_file_is_sound_yaml(path):
    """Examples are read by the same loader as specs, and their actions are pinned by hash."""
    text = path.read_text("utf-8")

    assert yaml_loader.load(text, path.name).problems == ()
    assert re.findall(r"\buses: (\S+)", text) == re.findall(r"\buses: (\S+@[0-9a-f]{40})", text)


def test_every_exit_code_is_documented():
    """The table of exit codes is whole."""
    for code in ExitCode:
        assert re.search(rf"^\| .*\b{int(code)}\b.*\| {code.label} \|", README, re.MULTILINE), code


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_helps_with_an_example(name, capsys):
    """A command says what it is for, as the list of commands does, and gives an example."""
    assert run([name, "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())

    assert f"Example: reconciler {name}" in text
    assert f"Usage: reconciler {name}" in text


def test_the_two_commands_are_the_ones_that_ci_runs():
    """CI calls exactly the test command of the README."""
    command = "python3 -m venv .venv && .venv/bin/pip install -q '.[test]' && .venv/bin/pytest"

    assert f"```sh\n{command}\n```" in README
    assert command in (ROOT / ".ci" / "run").read_text("utf-8").splitlines()


CHANGES = ("plan", "apply", "diff", "show")  # the document of a show is whatever was saved
OTHERS = ("drift", "validate", "import", "explain", "coverage", "doctor", "fleet plan", "fleet merge")


@pytest.mark.parametrize("words", [*CHANGES, *OTHERS])
def test_help_lists_every_format_that_fits(words, capsys):
    """A command names all formats that its document can have and no other, and the README names them all."""
    assert run([*words.split(), "--help"]) == 0
    listed = re.search(r"-o FORMAT\[:FILE\] (.*?); repeatable", " ".join(capsys.readouterr().out.split()))
    assert listed
    named = listed[1].replace("- ", "-").replace(" or ", ", ").split(", ")

    assert sorted(named) == sorted(name for name in FORMATS if words in CHANGES or name != "gitlab-terraform")
    assert [name for name in FORMATS if f"`{name}`" not in README] == []


@pytest.mark.parametrize("words", OTHERS)
def test_a_format_that_does_not_fit_is_refused_before_the_run(words, capsys, monkeypatch, tmp_path):
    """Nothing is read or written for a report that could not be made in the end."""
    monkeypatch.chdir(tmp_path)

    assert run([*words.split(), "-o", "gitlab-terraform"]) == 3

    assert (
        "gitlab-terraform shows what a plan or an apply changes; use gitlab-codequality or junit"
        in capsys.readouterr().err
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [*COMMANDS, "fleet plan", "fleet apply", "fleet merge", "ci plan", "ci drift"])
def test_global_options_work_before_and_after_the_command(words, capsys):
    """As the README says: before the command, after it, and between the words of one that has two."""
    assert "Global options work before and after the command." in README
    names = words.split()
    for place in range(len(names) + 1):
        told = [*names[:place], "-q", "--no-input", "--color", "never", "--specs", "specs", *names[place:], "--help"]

        assert run(told) == 0, told
        assert f"Usage: reconciler {words}" in " ".join(capsys.readouterr().out.split())


def test_a_quiet_fleet_is_quiet(tmp_path, monkeypatch, capsys):
    """What stands between the two words of a command holds for the run."""
    monkeypatch.chdir(tmp_path)
    assert run(["-q", "init"]) == 0
    capsys.readouterr()

    assert run(["fleet", "-q", "plan"]) == 0

    assert capsys.readouterr().err == ""


def test_the_licence_is_the_one_of_the_package():
    """What the README says of the licence is what the package declares, and it points to no file that is not there."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["license"]
    section = README.split("## Licence\n", 1)[1]

    assert section.startswith(f"\n[{declared}](https://opensource.org/license/")
    assert "`pyproject.toml` declares it" in section
    assert list(ROOT.glob("LICEN[SC]E*")) == []
