"""``reconciler diff``: what a reviewer of a fork sees, through the command line and a real git repository."""

import json
import subprocess
from pathlib import Path

import pytest

from reconciler.cli import run
from reconciler.errors import UsageError
from reconciler.git import run as from_git

SETTINGS = "version: 1\nportals: {production: {portalId: 77}}\nprotected: [properties/contacts/email]\n"
CONTACTS = """
properties:
  contacts:
    tier:
      label: Tier
      type: enumeration
      fieldType: select
      groupName: contactinformation
      options: [{value: a, label: A}, {value: b, label: B}]
    score: {label: Score, type: number, fieldType: number, groupName: contactinformation}
lifecycleStages:
  - {name: lead, label: Lead}
  - {name: trial, label: Trial}
"""


def git(*words):
    subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *words], check=True, capture_output=True
    )


def written(contacts=CONTACTS, settings=SETTINGS, folder="specs", name="contacts.yaml"):
    Path(folder).mkdir(exist_ok=True)
    Path(folder, "reconciler.yaml").write_text(settings, "utf-8")
    Path(folder, name).write_text(contacts, "utf-8")


@pytest.fixture(autouse=True)
def _repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HUBSPOT_ACCESS_TOKEN", raising=False)
    git("init", "-q", "-b", "main", ".")
    written()
    git("add", ".")
    git("commit", "-q", "-m", "base")


def compared(*words, code=0):
    assert run(["diff", "-q", "--base-ref", "main", "-o", "json:diff.json", *words]) == code
    return json.loads(Path("diff.json").read_text("utf-8"))


def told(document):
    return {change["address"]: (change["action"], change["severity"]) for change in document["changes"]}


def rules(document):
    return [(finding["rule"], finding["message"]) for finding in document["findings"] if finding["severity"] != "error"]


def test_equal_specs_have_no_changes(capsys):
    """Specs that nobody touched compare to nothing, without a token."""
    document = compared("--detailed-exitcode")

    assert document["changes"] == []
    assert document["summary"]["unchanged"] == 4
    assert document["portal"] is None
    assert set(document["comparison"]) == {"base", "head"}


def test_changes_are_told_as_a_plan_tells_them(capsys):
    """Added, changed and removed declarations are the changes; a tombstone destroys, and leaving out forgets."""
    changed = CONTACTS.replace("label: Score, type: number", "label: Points, type: string").replace(
        "fieldType: number", "fieldType: text"
    )
    changed = changed.replace("  - {name: trial, label: Trial}\n", "  - {name: pilot, label: Pilot}\n")
    changed = changed.replace(
        "  contacts:\n", "  contacts:\n    new: {label: New, type: string, fieldType: text, groupName: g}\n"
    )
    written(changed + "removed:\n  - {address: properties/contacts/old, reason: unused}\n")

    document = compared("--detailed-exitcode", code=2)

    assert told(document) == {
        "lifecycleStages/pilot": ("create", "safe"),
        "lifecycleStages/trial": ("forget", "safe"),
        "properties/contacts/new": ("create", "safe"),
        "properties/contacts/old": ("archive", "destructive"),
        "properties/contacts/score": ("update", "destructive"),
    }
    assert "archive" in capsys.readouterr().out


def test_options_that_are_left_out_are_forgotten_and_tombstones_remove_them():
    """An option that a list no longer names stays in the portal; one under removed: goes."""
    written(CONTACTS.replace(", {value: b, label: B}", ""))
    document = compared()
    assert document["changes"] == []
    assert rules(document) == [("forgotten", "no longer declares option b; the portal keeps what it has")]

    stone = "removed:\n  - {address: properties/contacts/tier/options/b, reason: no longer sold}\n"
    written(CONTACTS.replace(", {value: b, label: B}", "") + stone)
    document = compared()
    assert told(document) == {"properties/contacts/tier": ("update", "destructive")}
    assert [field["path"] for field in document["changes"][0]["fields"]] == ["options/b"]

    exact = "options: {exact: true, values: [{value: a, label: A}]}"
    written(CONTACTS.replace("options: [{value: a, label: A}, {value: b, label: B}]", exact))
    assert told(compared()) == {"properties/contacts/tier": ("update", "destructive")}


@pytest.mark.parametrize("label", ["Tier", "Tier of today"])
@pytest.mark.parametrize("value", ["b", "b/c", "never_declared"])
def test_a_removed_option_is_told_whatever_else_changes(value, label):
    """A tombstone of an option is destructive beside any other change, whatever the option is called."""
    base = CONTACTS if value == "never_declared" else CONTACTS.replace("{value: b,", f"{{value: {value},")
    written(base)
    git("commit", "-q", "-a", "--allow-empty", "-m", "options")
    address = f"properties/contacts/tier/options/{value.replace('/', '%2F')}"
    left = base if value == "never_declared" else base.replace(f", {{value: {value}, label: B}}", "")
    written(left.replace("label: Tier", f"label: {label}") + f"removed: [{{address: {address}, reason: gone}}]\n")

    document = compared("--fail-on", "destructive", code=6)

    assert told(document) == {"properties/contacts/tier": ("update", "destructive")}
    assert document["changes"][0]["destroys"] == [address]
    assert "forgotten" not in [rule for rule, _ in rules(document)]


def test_stages_in_another_order_are_changes():
    """Only those that change places among the stages that both sides declare; a new one moves nobody."""
    stages = "lifecycleStages: [{{name: {}}}, {{name: {}, label: Fan}}, {{name: {}, label: Trial}}, {{name: {}}}]\n"
    written(stages.format("lead", "fan", "trial", "customer"), name="stages.yaml")
    written(CONTACTS.partition("lifecycleStages")[0])
    git("add", ".")
    git("commit", "-q", "-m", "stages")
    written(stages.format("customer", "fan", "trial", "lead"), name="stages.yaml")

    document = compared()

    fields = {one["address"]: one["fields"] for one in document["changes"]}
    assert [(name, one["path"], one["before"], one["after"]) for name, (one,) in fields.items()] == [
        ("lifecycleStages/customer", "position", 3, 0),
        ("lifecycleStages/lead", "position", 0, 3),
    ]


def test_what_lets_a_plan_remove_more_is_pointed_out():
    """A list that is exact from now on, and a removal that waits no more for empty records."""
    waits = "removed: [{address: properties/contacts/old, reason: gone, requireNoValues: true}]\n"
    written(CONTACTS + waits)
    git("add", ".")
    git("commit", "-q", "-m", "waits")
    exact = CONTACTS.replace("options: [", "options: {exact: true, values: [").replace("label: B}]", "label: B}]}")
    written(exact + waits.replace(", requireNoValues: true", ""))

    assert rules(compared()) == [
        ("exact-options", "lists its options exactly now: a plan removes live ones that are not listed"),
        ("removed-with-values", "is removed now even while records hold a value of it"),
    ]


def test_options_that_go_together_are_one_change():
    """Two tombstones of one property are one change of it, as a plan has it."""
    stones = ", ".join(f"{{address: properties/contacts/tier/options/{one}, reason: gone}}" for one in ("x", "y"))
    written(f"{CONTACTS}removed: [{stones}]\n")

    (change,) = compared()["changes"]

    assert [field["path"] for field in change["fields"]] == ["options/x", "options/y"]
    assert (change["action"], change["severity"]) == ("update", "destructive")


def test_a_file_that_is_renamed_changes_nothing():
    """Where a definition stands does not matter."""
    git("mv", "specs/contacts.yaml", "specs/people.yaml")

    assert compared()["changes"] == []


def test_a_directory_that_is_renamed_is_compared_with_its_old_name():
    """--base-specs says where the specs stood."""
    git("mv", "specs", "hubspot")

    assert compared("--specs", "hubspot", "--base-specs", "specs")["changes"] == []
    assert len(compared("--specs", "hubspot")["changes"]) == 4


def test_an_internal_name_that_changes_is_pointed_out():
    """Renaming a definition makes a second one, and the reviewer learns it."""
    written(CONTACTS.replace("    score:", "    points:"))

    document = compared()

    assert told(document) == {
        "properties/contacts/points": ("create", "safe"),
        "properties/contacts/score": ("forget", "safe"),
    }
    (found,) = [message for rule, message in rules(document) if rule == "renamed"]
    assert "properties/contacts/score looks renamed to properties/contacts/points" in found


def test_settings_that_allow_more_are_pointed_out():
    """Protection, guards, ignore rules and portals are part of what is reviewed."""
    written(
        settings="version: 1\nportals: {production: {portalId: 78}, spare: {portalId: 9}}\nguards: {maxChanges: 5}\n"
        "ignore: [{address: properties/contacts/hs_x, reason: noise}]\n"
    )

    assert rules(compared()) == [
        ("settings-changed", "properties/contacts/email is no longer protected"),
        ("settings-changed", "guard maxChanges: no limit, now 5"),
        ("settings-changed", "properties/contacts/hs_x is ignored now: noise"),
        ("settings-changed", "portal production is reached another way"),
        ("settings-changed", "portal spare is new"),
    ]


def test_specs_that_are_missing_at_the_base_are_all_new():
    """The first pull request with specs shows them all as created."""
    written(folder="more")

    document = compared("--specs", "more")

    assert {action for action, _ in told(document).values()} == {"create"}
    assert ("settings-changed", "the settings are new") in rules(document)


def test_two_commits_are_compared_whatever_is_checked_out():
    """--head-ref looks at a commit, and files are named as the repository has them."""
    git("checkout", "-q", "-b", "topic")
    written(CONTACTS.replace("label: Score", "label: Points") + "    broken")
    git("commit", "-aqm", "broken")
    written(CONTACTS.replace("label: Score", "label: Points"))
    git("commit", "-aqm", "mended")
    written(CONTACTS)

    document = compared("--head-ref", "topic")

    assert told(document) == {"properties/contacts/score": ("update", "safe")}
    assert document["changes"][0]["source"]["file"] == "specs/contacts.yaml"
    document = compared("--head-ref", "topic~1", code=3)
    assert "specs/contacts.yaml" in document["findings"][0]["source"]["file"]


def test_nobody_can_apply_a_comparison(capsys):
    """The document is shaped like a plan, and is none."""
    written(
        CONTACTS.replace("label: Score", "label: Points"), settings="version: 1\nportals: {d: {emulator: d.json}}\n"
    )
    compared()

    assert run(["apply", "diff.json"]) == 3
    assert "compares two commits" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--base-ref", "nowhere"], "there is no commit nowhere in this repository"),
        (["--base-ref", "--output=x"], "there is no commit --output=x in this repository"),
    ],
)
def test_an_unknown_commit_is_named_with_the_way_out(words, message, capsys):
    """A shallow checkout is the usual reason, and the error says what to fetch."""
    assert run(["diff", *words]) == 3
    said = capsys.readouterr().err
    assert message in said
    assert "fetch-depth: 0" in said


def test_outside_a_repository_it_says_so(tmp_path_factory, monkeypatch, capsys):
    """Without git there are no two commits."""
    monkeypatch.chdir(tmp_path_factory.mktemp("plain"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(Path.cwd().parent))
    written()

    assert run(["diff", "--base-ref", "main"]) == 3
    assert "is in no git repository" in capsys.readouterr().err


def test_specs_that_link_outside_of_the_repository_are_refused(capsys):
    """A link in a fork's commit that leads to this machine's files is refused by name."""
    Path("specs/more.yaml").symlink_to("/etc/hostname")
    git("add", ".")
    git("commit", "-q", "-m", "link")

    assert run(["diff", "-q", "--base-ref", "HEAD"]) == 3
    assert "reach outside the repository" in capsys.readouterr().err


def test_what_cannot_be_read_is_not_taken_for_deleted():
    """A quote that is missing loses nothing but the file that it stands in; what else changed is told."""
    written("properties: {contacts: {extra: {hidden: true}}}\n", name="extra.yaml")
    written(CONTACTS.replace("label: Tier", 'label: "Tier'))

    document = compared(code=3)

    assert told(document) == {"properties/contacts/extra": ("update", "safe")}
    assert ("head-errors", "4 declarations of the base are not found, and may stand in what has errors") in rules(
        document
    )


def test_a_base_directory_that_is_named_has_to_be_there(capsys):
    """A slip of the pen is not taken for a base that declares nothing."""
    assert run(["diff", "-q", "--base-ref", "main", "--base-specs", "spec"]) == 3
    assert "there are no specs in spec at main" in capsys.readouterr().err


def test_a_comment_says_how_to_compare_again(capsys):
    """It is a comparison, and no plan."""
    assert run(["diff", "-q", "--base-ref", "main", "-o", "markdown"]) == 0
    assert "again: `reconciler diff --base-ref main`" in capsys.readouterr().out


def test_a_clone_of_somebody_elses_is_told_in_gits_own_words(monkeypatch, capsys):
    """In a container git trusts no files of another user, and says what lets it; it is a repository all the same."""
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    assert run(["diff", "--base-ref", "main"]) == 3

    told = capsys.readouterr().err
    assert "error: git rev-parse failed: fatal: detected dubious ownership in repository" in told
    assert "git config --global --add safe.directory" in told
    assert "is in no git repository" not in told


def test_a_command_of_git_that_fails_is_named():
    """By its name, and not by the settings that it runs with."""
    with pytest.raises(UsageError, match=r"\Agit commit failed: "):
        from_git(Path(), "-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "-q", "--file=nowhere")


def test_links_among_the_specs_are_followed_within_the_repository():
    """What a link of the base leads to is compared as any other file."""
    Path("shared.yaml").write_text("propertyGroups: {contacts: {g: {label: G}}}\n", "utf-8")
    Path("specs/shared.yaml").symlink_to("../shared.yaml")
    Path("specs/c.txt").symlink_to("d.txt")  # which leads nowhere
    Path("specs/d.txt").symlink_to("e.txt")
    git("add", ".")
    git("commit", "-q", "-m", "a link")
    git("branch", "-f", "linked")
    Path("shared.yaml").write_text("propertyGroups: {contacts: {g: {label: Group}}}\n", "utf-8")

    assert run(["diff", "-q", "--base-ref", "linked", "-o", "json:diff.json"]) == 0
    assert told(json.loads(Path("diff.json").read_text("utf-8"))) == {"propertyGroups/contacts/g": ("update", "safe")}


@pytest.mark.parametrize("left_out", ["specs", "specs/contacts.yaml"])
def test_what_is_kept_out_of_archives_is_compared_all_the_same(left_out):
    """Attributes of a repository say what a release of it holds, and nothing about its specs."""
    Path(".gitattributes").write_text(f"{left_out} export-ignore\n", "utf-8")
    git("add", ".")
    git("commit", "-q", "-m", "attributes")

    assert compared("--base-ref", "HEAD")["summary"]["unchanged"] == 4


def test_a_clone_that_lacks_the_old_files_says_so(capsys, monkeypatch):
    """A clone without blobs fetches them when they are asked for, which a job without rights cannot."""
    written(CONTACTS.replace("label: Score", "label: Points"))
    git("commit", "-qam", "points")
    git("config", "uploadpack.allowFilter", "true")
    git("clone", "-q", "--filter=blob:none", f"file://{Path.cwd()}", "clone")
    monkeypatch.chdir("clone")
    git("remote", "set-url", "origin", f"file://{Path.cwd()}/nowhere")

    assert run(["diff", "-q", "--base-ref", "main~1"]) == 3

    told = capsys.readouterr().err
    assert "git does not have " in told
    assert "fetch it first: the clone is not whole" in told
