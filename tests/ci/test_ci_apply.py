"""``reconciler ci apply``: exactly what was reviewed, and the moved baseline comes back."""

import json
import re
from pathlib import Path

import pytest
from ci_workplace import CONTACTS

from reconciler.cli import run
from reconciler.emulator import Portal

PLAN = ["ci", "plan", "-q"]
APPLY = ["ci", "apply", "-q"]
CHANGED = CONTACTS.replace("label: One", "label: Uno")
STONE = "removed:\n  - {address: properties/contacts/two, reason: unused}\n"
DESTRUCTIVE = CONTACTS.replace("    two: {label: Two, type: string, fieldType: text, groupName: g}\n", STONE)
BASELINE = "specs/baselines/demo/properties.contacts.json"


def properties():
    return Portal.open(".reconciler/demo.json").state["objects"]["0-1"]["properties"]


def live(name):
    return properties()[name]


def reviewed(github, workplace, contacts):
    """A pull request that was planned on commit a1, and its merge as commit m1."""
    workplace.specs(contacts)
    assert run(PLAN) == 0
    github.merged["m1"] = [{"number": 7, "merge_commit_sha": "m1", "head": {"sha": "a1"}}]
    workplace.on_github(number=None, head="m1")
    github.forget()


def test_what_was_reviewed_is_applied_and_the_baseline_comes_back(github, workplace, capsys):
    """The digest of the check run is the approval; a bot commits the moved baseline onto the branch."""
    reviewed(github, workplace, CHANGED)

    assert run(APPLY) == 0

    assert live("one")["label"] == "Uno"
    assert list(github.files("main")) == [BASELINE]
    assert '"Uno"' in github.files("main")[BASELINE]
    assert github.commits[github.refs["main"]]["message"] == "hubspot: move the baseline of demo\n\n[skip ci]"
    assert workplace.outputs()["updates"] == "1"


def test_a_part_is_approved_as_a_part(github, workplace):
    """What was reviewed with --only is applied with the same --only, and approves nothing else."""
    workplace.specs(CHANGED)
    only = ["--only", "properties/contacts/one"]
    assert run([*PLAN, *only]) == 0
    github.merged["m1"] = [{"number": 7, "merge_commit_sha": "m1", "head": {"sha": "a1"}}]
    workplace.on_github(number=None, head="m1")

    assert run(APPLY) == 6
    assert run([*APPLY, *only]) == 0
    assert live("one")["label"] == "Uno"


def test_a_consent_to_destruction_is_the_approval(github, workplace):
    """What a reviewer approved needs no --allow after the merge."""
    reviewed(github, workplace, DESTRUCTIVE)

    assert run(APPLY) == 0

    assert "two" not in properties()


def test_a_plan_that_nobody_reviewed_is_not_applied(github, workplace, capsys):
    """No check run on the merged commit, no apply."""
    workplace.on_github(number=None, head="m1")
    workplace.specs(CHANGED)

    assert run(APPLY) == 6

    assert live("one")["label"] == "One"
    assert "has no check run with a reviewed plan of demo" in capsys.readouterr().out
    assert github.writes() == []


def test_a_portal_that_moved_since_the_review_is_not_written_to(github, workplace, capsys):
    """The plan after the merge is another one than was reviewed: exit 5, and nothing is written."""
    reviewed(github, workplace, CHANGED)
    workplace.edit(property="two", label="Edited meanwhile")

    assert run(APPLY) == 5

    assert live("one")["label"] == "One"
    assert "what was approved is sha256:" in capsys.readouterr().out


@pytest.mark.parametrize(
    "forged",
    [
        {"app": {"slug": "somebody-elses-app"}},
        {"external_id": "hubspot-reconciler/1 0000000000000000 sha256:{digest}"},
        {"external_id": None},
        {"head_sha": "b2"},
    ],
)
def test_an_approval_counts_only_from_the_right_check_run(github, workplace, forged):
    """Another app, another portal, no digest, another commit: none of them approves."""
    reviewed(github, workplace, CHANGED)
    github.checks[0].update(forged)

    assert run(APPLY) == 6
    assert live("one")["label"] == "One"


def test_a_comment_approves_nothing(github, workplace):
    """Whatever a comment says, and whoever wrote it."""
    reviewed(github, workplace, CHANGED)
    github.checks.clear()

    assert github.comments
    assert run(APPLY) == 6


def test_nothing_to_do_needs_no_approval(github, workplace):
    """A merge that changes no spec is no reason to fail."""
    workplace.on_github(number=None, head="m1")

    assert run(APPLY) == 0
    assert github.writes() == []


def test_an_artifact_can_carry_the_approval(github, workplace, capsys):
    """The kept plan of the pull request, on whatever way it came; a plan with errors approves nothing."""
    workplace.specs(CHANGED)
    assert run([*PLAN, "--documents", "docs"]) == 0
    workplace.on_github(number=None, head="m1")

    assert run([*APPLY, "--approved", "missing"]) == 3
    document = json.loads(Path("docs/plan-demo.json").read_text("utf-8"))
    Path("wrong.json").write_text(json.dumps({**document, "portal": {"name": "other"}}), "utf-8")
    assert run([*APPLY, "--approved", "wrong.json"]) == 6
    assert live("one")["label"] == "One"

    assert run([*APPLY, "--approved", "docs"]) == 0
    assert live("one")["label"] == "Uno"


def test_the_way_around_is_explicit(github, workplace):
    """--no-approval applies what is planned now, and cannot be mixed with an approval."""
    workplace.on_github(number=None, head="m1")
    workplace.specs(CHANGED)

    assert run([*APPLY, "--no-approval", "--require-digest", "sha256:0"]) == 3
    assert run([*APPLY, "--no-approval"]) == 0
    assert live("one")["label"] == "Uno"


def test_guards_hold_for_what_nobody_approved(github, workplace):
    """Without an approval a destruction needs its own --allow, as everywhere."""
    workplace.on_github(number=None, head="m1")
    workplace.specs(DESTRUCTIVE)

    assert run([*APPLY, "--no-approval"]) == 6
    assert "two" in properties()
    assert run([*APPLY, "--no-approval", "--allow", "properties/contacts/two"]) == 0


def test_a_branch_that_moved_meanwhile_gets_the_commit_on_top(github, workplace):
    """Somebody else's push between reading and writing costs another try."""
    reviewed(github, workplace, CHANGED)
    github.raced = 2

    assert run(APPLY) == 0

    last = github.commits[github.refs["main"]]
    assert last["message"].startswith("hubspot: move the baseline")
    assert github.commits[last["parents"][0]]["message"] == "theirs"


def test_the_baseline_may_come_back_as_a_pull_request(github, workplace):
    """For branches that nobody pushes to; a second apply brings the same one up to date."""
    reviewed(github, workplace, CHANGED)
    assert run([*APPLY, "--baseline", "pull-request"]) == 0
    (pull,) = github.pulls.values()
    assert (pull["head"], pull["base"]) == ("hubspot-reconciler/baseline-demo", "main")
    assert list(github.files("hubspot-reconciler/baseline-demo")) == [BASELINE]
    assert github.files("main") == {}

    workplace.specs(CHANGED.replace("label: Two", "label: Due"))
    assert run([*APPLY, "--no-approval", "--baseline", "pull-request"]) == 0
    assert len(github.pulls) == 1
    assert '"Due"' in github.files("hubspot-reconciler/baseline-demo")[BASELINE]


def test_a_protected_branch_costs_a_warning_with_the_way_out(github, workplace, capsys):
    """What was applied is applied: the exit code stays, and the other way is named."""
    reviewed(github, workplace, CHANGED)
    github.denied = {"/git/": "contents=write"}

    assert run(APPLY) == 0

    said = capsys.readouterr().err
    assert "the moved baseline was not written: GitHub answered" in said
    assert "the job needs the permission `contents: write`" in said
    assert "--baseline pull-request" in said


def test_a_dry_run_writes_to_nobody(github, workplace, capsys):
    """Neither to HubSpot nor to GitHub, and the plan is shown."""
    reviewed(github, workplace, CHANGED)

    assert run([*APPLY, "--dry-run", "--no-approval"]) == 0

    assert live("one")["label"] == "One"
    assert github.calls == []
    assert "1 to update" in capsys.readouterr().out


def test_a_dry_run_shows_the_plan_although_nobody_is_asked_for_an_approval(github, workplace, capsys):
    """GitHub is not called, so no check run is found; what would be asked of it is said."""
    reviewed(github, workplace, CHANGED)

    assert run([*APPLY, "--dry-run"]) == 0

    said = capsys.readouterr().out
    assert "would ask which plan of demo was reviewed" in said
    assert "1 to update" in said
    assert "::error" not in said
    assert (github.calls, live("one")["label"]) == ([], "One")


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("[", 3, "is not JSON"),
        ("[]", 3, "is not a document of this tool"),
        ('{"formatVersion": "1.0", "kind": "plan"}', 6, "is no plan of demo"),
        ('{"formatVersion": "1.0", "kind": "plan", "portal": "demo"}', 6, "is no plan of demo"),
        ('{"formatVersion": "1.0", "kind": "plan", "portal": {"name": "demo"}}', 3, "is no reviewed plan: "),
        ('{"formatVersion": "1.0", "kind": "plan", "kind": "plan"}', 3, "an object has a key twice"),
        ("[" * 100_000, 3, "is not JSON"),
        (None, 3, "cannot read approved.json"),
    ],
)
def test_a_file_that_is_no_reviewed_plan_is_told(github, workplace, capsys, text, code, told):
    """Whatever is in it, it is no bug of ours, and nothing is written."""
    workplace.specs(CHANGED)
    if text is not None:
        Path("approved.json").write_text(text, "utf-8")

    assert run([*APPLY, "--approved", "approved.json"]) == code

    assert told in capsys.readouterr().out
    assert live("one")["label"] == "One"


def test_without_a_host_api_the_baseline_is_pushed(workplace, tmp_path_factory):
    """On any other host a commit is made and pushed with git, on top of what others pushed meanwhile."""
    origin = tmp_path_factory.mktemp("origin") / "crm.git"
    workplace.git("init", "-q", "--bare", "-b", "main", str(origin))
    workplace.git("remote", "add", "origin", str(origin))
    workplace.git("push", "-q", "origin", "main")
    other = tmp_path_factory.mktemp("other")
    workplace.git("clone", "-q", str(origin), str(other))
    (other / "README").write_text("theirs", "utf-8")
    workplace.git("-C", str(other), "add", ".")
    workplace.git("-C", str(other), "commit", "-qm", "theirs")
    workplace.git("-C", str(other), "push", "-q")
    workplace.environ(TF_BUILD="True", BUILD_SOURCEBRANCH="refs/heads/main")
    workplace.specs(CHANGED)
    workplace.git("commit", "-qam", "change")

    assert run([*APPLY, "--no-approval"]) == 0

    log = workplace.git("-C", str(origin), "log", "--format=%s", "main").splitlines()
    assert log[0] == "hubspot: move the baseline of demo"
    assert "theirs" in log
    assert '"Uno"' in workplace.git("-C", str(origin), "show", f"main:{BASELINE}")
    assert re.match(r"hubspot-reconciler", workplace.git("-C", str(origin), "log", "-1", "--format=%an", "main"))


def document(portal):
    return json.loads(Path(f"docs/apply-{portal}.json").read_text("utf-8"))


ALL = [*APPLY, "--portals", "all", "--no-approval", "--documents", "docs"]


def test_a_file_in_the_way_of_one_portal_keeps_no_other_from_its_apply(github, workplace):
    """The portal whose receipt cannot be begun says so; the next one is applied, told, and its baseline comes back."""
    workplace.on_github(number=None, head="m1")
    workplace.specs(CHANGED)
    Path(".reconciler/receipts/demo").rename("aside")
    Path(".reconciler/receipts/demo").write_text("in the way", "utf-8")

    assert run(ALL) == 3

    (told,) = document("demo")["errors"]
    assert (told["code"], told["where"]) == ("usage", str(Path(".reconciler/receipts/demo").resolve()))
    assert document("other")["exit"] == {"code": 0, "name": "ok"}
    assert "specs/baselines/other/properties.contacts.json" in github.files("main")
    assert live("one")["label"] == "One"


def test_a_bug_in_one_portal_keeps_no_other_from_its_apply(github, workplace):
    """What HubSpot never answers ends the run of that portal only, and is called a bug."""
    workplace.on_github(number=None, head="m1")
    workplace.specs(CHANGED)
    portal = Portal.open(".reconciler/demo.json")
    del portal.state["objects"]["0-1"]["properties"]["two"]["name"]
    portal.save()

    assert run(ALL) == 1

    (told,) = document("demo")["errors"]
    assert (told["code"], told["hint"]) == ("internal", "this is a bug; report it")
    assert document("other")["exit"] == {"code": 0, "name": "ok"}


@pytest.mark.parametrize(
    ("name", "what"), [("GITHUB_STEP_SUMMARY", "the summary of the job"), ("GITHUB_OUTPUT", "the output of the step")]
)
def test_a_full_disk_costs_a_surface_and_not_the_baseline(github, workplace, capsys, name, what):
    """What the host's files cannot take is a warning: the exit code stays, and the moved baseline comes back."""
    workplace.on_github(number=None, head="m1")
    workplace.specs(CHANGED)
    workplace.environ(**{name: "/dev/full"})

    assert run([*APPLY, "--no-approval"]) == 0

    assert f"warning: {what} was not written: [Errno 28] No space left on device" in capsys.readouterr().err
    assert '"Uno"' in github.files("main")[BASELINE]


def test_a_document_that_cannot_be_kept_after_an_apply_is_partial(github, workplace, capsys):
    """Something was written and something failed: exit 7, told on every surface, and the baseline comes back."""
    workplace.on_github(number=None, head="m1")
    workplace.specs(CHANGED)
    Path("docs/apply-demo.json").mkdir(parents=True)

    assert run([*APPLY, "--no-approval", "--documents", "docs"]) == 7

    assert "error [partial] cannot write docs/apply-demo.json: Is a directory" in capsys.readouterr().out
    assert workplace.outputs()["exit-code"] == "7"
    assert '"Uno"' in github.files("main")[BASELINE]


def test_a_place_for_documents_that_cannot_be_made_ends_the_run_before_it_begins(github, workplace):
    """After an apply it would be too late to say so."""
    workplace.on_github(number=None, head="m1")
    workplace.specs(CHANGED)

    assert run([*APPLY, "--no-approval", "--documents", "event.json/docs"]) == 3

    assert live("one")["label"] == "One"


@pytest.fixture
def pushed(workplace, tmp_path_factory):
    """A repository that the clone pushes to, another clone of it, and a change of the specs."""
    origin, other = tmp_path_factory.mktemp("origin") / "crm.git", tmp_path_factory.mktemp("other")
    workplace.git("init", "-q", "--bare", "-b", "main", str(origin))
    workplace.git("remote", "add", "origin", str(origin))
    workplace.git("push", "-q", "origin", "main")
    workplace.git("clone", "-q", str(origin), str(other))
    workplace.specs(CHANGED)
    workplace.git("commit", "-qam", "change")
    return origin, other


def test_without_a_branch_the_baseline_stays_and_a_warning_says_so(workplace, pushed, capsys):
    """On a laptop nobody tells where it belongs: the apply is as good as it was, and nothing is committed."""
    before = workplace.git("rev-parse", "HEAD")

    assert run([*APPLY, "--no-approval"]) == 0

    said = capsys.readouterr().err
    assert "the moved baseline of demo was not brought back: no branch is known that it belongs to" in said
    assert live("one")["label"] == "Uno"
    assert workplace.git("rev-parse", "HEAD") == before
    assert '"Uno"' in Path(BASELINE).read_text("utf-8")


def test_a_tag_is_no_branch(github, workplace, capsys):
    """A commit of a bot goes onto a branch; of a tag GitHub says no branch."""
    workplace.on_github(number=None, head="m1")
    workplace.environ(GITHUB_REF="refs/tags/v1")
    workplace.specs(CHANGED)

    assert run([*APPLY, "--no-approval"]) == 0

    assert "no branch is known" in capsys.readouterr().err
    assert github.writes() == []


def test_a_conflict_costs_one_baseline_its_way_back_and_no_other(workplace, pushed, capsys):
    """Somebody else moved the same lines: a warning, a clone as it was, and the next portal's baseline goes back."""
    origin, other = pushed
    theirs = other / BASELINE
    theirs.write_text(theirs.read_text("utf-8").replace('"One"', '"Eins"'), "utf-8")
    workplace.git("-C", str(other), "commit", "-qam", "theirs")
    workplace.git("-C", str(other), "push", "-q")
    workplace.environ(TF_BUILD="True", BUILD_SOURCEBRANCH="refs/heads/main")
    before = workplace.git("rev-parse", "HEAD")

    assert run([*APPLY, "--portals", "all", "--no-approval"]) == 0

    assert "the moved baseline was not written: main has another change of the same lines" in capsys.readouterr().err
    log = workplace.git("-C", str(origin), "log", "--format=%s", "main").splitlines()
    assert log[0] == "hubspot: move the baseline of other"
    assert "hubspot: move the baseline of demo" not in log
    assert workplace.git("rev-parse", "HEAD") == before
    assert "rebase" not in workplace.git("status")
    assert len(workplace.git("worktree", "list").splitlines()) == 1


def test_a_push_that_is_refused_leaves_the_clone_as_it_was(workplace, pushed, capsys):
    """No commit is left behind that the next portal would push as well."""
    origin, _ = pushed
    (origin / "hooks/pre-receive").write_text("#!/bin/sh\nexit 1\n", "utf-8")
    (origin / "hooks/pre-receive").chmod(0o755)
    workplace.environ(TF_BUILD="True", BUILD_SOURCEBRANCH="refs/heads/main")
    before = workplace.git("rev-parse", "HEAD")

    assert run([*APPLY, "--no-approval"]) == 0

    assert "the moved baseline was not written: git push was refused" in capsys.readouterr().err
    assert workplace.git("rev-parse", "HEAD") == before
