"""The workflows, actions and pipelines that people copy: linted offline, and their commands run."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.cli import run
from reconciler.yaml_loader import load

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted([*ROOT.glob(".github/workflows/*.yaml"), *ROOT.glob("examples/*/.github/workflows/*.yaml")])
ACTIONS = sorted(ROOT.glob(".github/actions/*/action.yaml"))
GITLAB = ROOT / "examples/gitlab-pipeline/.gitlab-ci.yml"
AZURE = ROOT / "examples/azure-pipeline/azure-pipelines.yml"
BITBUCKET = ROOT / "examples/bitbucket-pipeline/bitbucket-pipelines.yml"
ALL = [*WORKFLOWS, *ACTIONS, GITLAB, AZURE, BITBUCKET]


def tool(name):
    """A linter on the path, beside this Python, or where its packages are."""
    homes = [Path(sys.executable).parent, Path(pytest.__file__).parents[4] / "bin"]
    found = shutil.which(name) or shutil.which(name, path=os.pathsep.join(map(str, homes)))
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def test_zizmor_finds_nothing():
    """No injection, no broad permission, no unpinned action, no credentials left behind."""
    words = [tool("zizmor"), "--offline", "--no-progress", "-q", ".github", "examples"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARN" not in done.stderr


@pytest.mark.parametrize(
    ("schema", "files", "more"),
    [
        ("vendor.github-workflows", WORKFLOWS, []),
        ("vendor.github-actions", ACTIONS, []),
        ("vendor.gitlab-ci", [GITLAB], ["--data-transform", "gitlab-ci"]),
        ("vendor.azure-pipelines", [AZURE], ["--data-transform", "azure-pipelines", "--regex-variant", "python"]),
        ("vendor.bitbucket-pipelines", [BITBUCKET], []),
    ],
)
def test_examples_fit_the_schemas_of_their_hosts(schema, files, more):
    """Each host's own schema accepts what we ship."""
    words = [tool("check-jsonschema"), "--builtin-schema", schema, *more, *map(str, files)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)

    assert files
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", [*WORKFLOWS, *ACTIONS], ids=lambda file: str(file.relative_to(ROOT)))
def test_third_party_actions_are_pinned_by_hash(file):
    """A tag can be moved by whoever owns it, a hash cannot."""
    for used in re.findall(r"\buses: (\S+)", file.read_text("utf-8")):
        assert re.fullmatch(r"[\w/.-]+@[0-9a-f]{40}", used) or used.startswith("./"), used


def test_an_apply_is_never_cancelled_and_stands_behind_an_environment():
    """Half an apply is worse than a late one."""
    for name in (".github/workflows/hubspot-apply.yaml", "examples/gitops-pull-request/.github/workflows/hubspot.yaml"):
        document = load((ROOT / name).read_bytes(), name).value
        job = document["jobs"]["apply"]
        assert job["concurrency"]["cancel-in-progress"] is False
        assert job["environment"]
        assert document["permissions"] == {}


def test_bitbucket_begins_with_no_manual_step():
    """Bitbucket refuses a pipeline whose first step is manual: what people start is a custom pipeline."""
    pipelines = load(BITBUCKET.read_bytes(), BITBUCKET.name).value["pipelines"]
    steps = [
        [one["step"] for one in parts if "step" in one] for named in pipelines.values() for parts in named.values()
    ]
    assert len(steps) == 3
    assert [first for first, *_ in steps if first.get("trigger") == "manual"] == []


def test_azure_applies_where_somebody_can_give_a_digest():
    """A push runs no apply, for nobody has told it what was reviewed."""
    pipeline = load(AZURE.read_bytes(), AZURE.name).value
    assert pipeline["trigger"] == "none"
    assert [one["name"] for one in pipeline["parameters"]] == ["planDigest"]


def commands(file):
    """What a pipeline calls of ours."""
    text = file.read_text("utf-8").replace("\\\n", " ")
    return re.findall(r"reconciler (ci (?:plan|apply|drift)[^\n]*)", re.sub(r"(?m)^\s*#.*|\bdescription:.*", "", text))


@pytest.mark.parametrize("file", ALL, ids=lambda file: str(file.relative_to(ROOT)))
def test_the_commands_in_them_are_ours(file, workplace):
    """Every command that a pipeline calls runs on an embedded portal as it stands."""
    values = {
        "PORTAL": "demo",
        "BASELINE": "keep",
        "BITBUCKET_PR_DESTINATION_COMMIT": "main",
        "PLAN_DIGEST": "sha256:0",
    }
    for command in commands(file):
        words = []
        for word in shlex.split(command):
            if "@" in word:
                continue  # an array of words that a caller may give
            words.append(re.sub(r"\$\{?(\w+)\}?", lambda found: values[found[1]], word))
        assert run(words) == 0, words
