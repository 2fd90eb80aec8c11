"""``reconciler ci drift``: one issue for each portal, against emulated hosts over loopback."""

import json
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ci_workplace import CONTACTS
from host_fakes import TOKEN, Webhook, served

from reconciler.ci import runs
from reconciler.cli import run
from reconciler.settings import load
from reconciler.workspace import Workspace

DRIFT = ["ci", "drift", "-q"]
BASELINE = "specs/baselines/demo/properties.contacts.json"
HEAD = "<!-- reconciler:drift key="


@pytest.fixture
def main(github, workplace):
    """GitHub, and a run of the main branch."""
    workplace.on_github(number=None, head="m1")
    return github


def issue(github):
    (one,) = github.issues.values()
    return one


def wrote(github):
    return [(method, re.sub(r"\d+", "N", path.removeprefix("/repos/acme/crm"))) for method, path in github.writes()]


def remarks(github):
    return [one["body"] for one in github.comments.values()]


def test_drift_has_one_issue_that_lives_with_it(main, workplace, capsys):
    """Opened, kept while nothing moves, updated on a transition, closed when clean, and reopened, never doubled."""
    assert run(DRIFT) == 0
    assert main.writes() == []

    workplace.edit(property="one", label="Edited")
    assert run(DRIFT) == 2
    assert wrote(main) == [("POST", "/issues")]
    assert issue(main)["title"] == "HubSpot drift: demo"
    assert issue(main)["labels"] == ["hubspot-drift"]
    assert "properties/contacts/one" in issue(main)["body"]

    main.forget()
    assert run(DRIFT) == 2
    assert main.writes() == []

    workplace.edit(property="two", label="Edited too")
    assert run(DRIFT) == 2
    assert wrote(main) == [("PATCH", "/issues/N"), ("POST", "/issues/N/comments")]
    assert remarks(main)[-1].startswith("**1 new.** 2 items open.")
    assert "`properties/contacts/two`" in remarks(main)[-1]

    main.forget()
    workplace.edit(property="one", label="One")
    assert run(DRIFT) == 2
    assert remarks(main)[-1] == "**1 resolved.** 1 item open.\n"

    main.forget()
    workplace.edit(property="two", label="Two")
    assert run(DRIFT) == 0
    assert wrote(main) == [("POST", "/issues/N/comments"), ("PATCH", "/issues/N")]
    assert issue(main)["state"] == "closed"
    assert re.fullmatch(
        r"Clean: \[this run\]\(https://github.com/acme/crm/actions/runs/42\) found no drift."
        r" It was open since \d{4}-\d\d-\d\d.\n",
        remarks(main)[-1],
    )

    main.forget()
    assert run(DRIFT) == 0
    assert main.writes() == []

    workplace.edit(property="one", label="Edited again")
    assert run(DRIFT) == 2
    assert issue(main)["state"] == "open"
    assert remarks(main)[-1].startswith("**Drift again: 1 new.**")
    assert len(main.issues) == 1


def test_a_run_that_fails_leaves_the_issue_alone(main, workplace, capsys):
    """What nobody could look at is neither clean nor drift."""
    workplace.edit(property="one", label="Edited")
    run(DRIFT)
    main.forget()
    workplace.specs("properties: {contacts: {one: {label: 1, type: strong}}}\n")

    assert run(DRIFT) == 3

    assert main.calls == []
    assert issue(main)["state"] == "open"
    assert "::error" in capsys.readouterr().out


def test_what_could_not_be_read_is_not_resolved(main, workplace):
    """A list that answers 403 hides its items; they are neither announced as resolved nor is the issue closed."""
    workplace.edit(property="one", label="Edited")
    run(DRIFT)
    main.forget()
    workplace.forbid("/crm/v3/properties/contacts")

    assert run(DRIFT) in (2, 4)

    assert issue(main)["state"] == "open"
    assert not any("resolved" in remark for remark in remarks(main))


def test_an_issue_without_our_label_or_mark_is_not_ours(main, workplace):
    """Titles are people's; an issue is found by its label and mark, whatever it is called."""
    main.issues[1] = {
        "number": 1,
        "state": "open",
        "title": "HubSpot drift: demo",
        "body": "?",
        "labels": ["hubspot-drift"],
    }
    workplace.edit(property="one", label="Edited")
    run(DRIFT)
    assert len(main.issues) == 2

    (ours,) = [one for one in main.issues.values() if one["number"] != 1]
    ours["title"] = "Ask Maria about the label"
    main.forget()
    workplace.edit(property="two", label="Edited too")
    run(DRIFT)
    assert len(main.issues) == 2
    assert ours["title"] == "Ask Maria about the label"


def test_an_update_that_kept_the_old_text_is_noticed(main, workplace, capsys):
    """An issue cannot be made anew, so the new text is said in a comment."""
    workplace.edit(property="one", label="Edited")
    run(DRIFT)
    main.keeps_old_over = 0
    workplace.edit(property="two", label="Edited too")

    assert run(DRIFT) == 2

    assert "kept the old one" in capsys.readouterr().err
    assert any(HEAD in remark for remark in remarks(main))


def test_a_missing_permission_costs_a_warning(main, workplace, capsys):
    """The drift is told in the log, with the permission that is missing, and the exit code stays."""
    main.denied = {"/issues": "issues=write"}
    workplace.edit(property="one", label="Edited")

    assert run(DRIFT) == 2

    assert "the job needs the permission `issues: write`" in capsys.readouterr().err


def test_without_fail_the_issue_tells_alone(main, workplace):
    """A red run every night for what an issue tells already is noise; errors still fail."""
    workplace.edit(property="one", label="Edited")

    assert run([*DRIFT, "--no-fail"]) == 0
    assert len(main.issues) == 1
    assert workplace.outputs()["has-drift"] == "true"
    assert workplace.outputs()["exit-code"] == "2"

    workplace.specs("properties: {contacts: {one: {label: 1, type: strong}}}\n")
    assert run([*DRIFT, "--no-fail"]) == 3


def test_drift_as_a_pull_request_moves_the_baseline(main, workplace):
    """The pull request accepts what HubSpot changed; it is kept while nothing moves and closed when clean."""
    workplace.edit(property="one", label="Edited")
    assert run([*DRIFT, "--report", "pull-request"]) == 2
    (pull,) = main.pulls.values()
    assert (pull["head"], pull["base"]) == ("hubspot-reconciler/drift-demo", "main")
    assert pull["title"] == "hubspot: accept the drift of demo"
    (path,) = main.files("hubspot-reconciler/drift-demo")
    assert path == "specs/baselines/demo/properties.contacts.json"
    assert "Edited" in main.files("hubspot-reconciler/drift-demo")[path]

    main.forget()
    workplace.git("checkout", "-q", "--", "specs")
    assert run([*DRIFT, "--report", "pull-request"]) == 2
    assert not any("refs" in path or "pulls" in path for _, path in main.writes())

    workplace.git("checkout", "-q", "--", "specs")
    workplace.edit(property="two", label="Edited too")
    assert run([*DRIFT, "--report", "pull-request"]) == 2
    assert len(main.pulls) == 1
    assert "Edited too" in main.files("hubspot-reconciler/drift-demo")[path]
    assert "properties/contacts/two" in pull["body"]

    workplace.git("checkout", "-q", "--", "specs")
    workplace.edit(property="one", label="One")
    workplace.edit(property="two", label="Two")
    assert run([*DRIFT, "--report", "pull-request"]) == 0
    assert pull["state"] == "closed"


def proposed(main):
    """The baseline of the pull request."""
    (pull,) = main.pulls.values()
    return main.files(pull["head"])[BASELINE]


def test_a_pull_request_accepts_what_it_lists_and_nothing_else(main, workplace):
    """With --only, what else moved stays drift: the reviewer accepts what the page names."""
    workplace.edit(property="one", label="Edited one")
    workplace.edit(property="two", label="Edited two")

    assert run([*DRIFT, "--only", "properties/contacts/one", "--report", "pull-request"]) == 2

    (pull,) = main.pulls.values()
    assert "properties/contacts/two" not in pull["body"]
    assert "Edited one" in proposed(main)
    assert "Edited two" not in proposed(main)


def test_a_pull_request_accepts_nothing_that_moved_since_the_check(main, workplace):
    """The portal is read once more for the baseline; drift that began between the reads was shown to nobody."""
    workplace.edit(property="one", label="Edited one")
    assert run([*DRIFT, "--report", "none", "--documents", "docs"]) == 2
    workplace.edit(property="one", label="Edited again")
    workplace.edit(property="two", label="Edited two")
    settings = load(Path("specs"))
    workspace = Workspace(Path("specs"), settings, settings.portal("demo"))
    document = json.loads(Path("docs/drift-demo.json").read_text("utf-8"))

    with runs.accepted(workspace, document, datetime(2026, 11, 26, tzinfo=UTC)):
        assert "Edited" not in Path(BASELINE).read_text("utf-8")


def test_the_checkout_keeps_its_baseline(main, workplace):
    """Whether a pull request is made or not, a later apply in the same job brings nothing unreviewed to the branch."""
    workplace.edit(property="one", label="Edited one")

    assert run([*DRIFT, "--fail-on", "high", "--report", "pull-request"]) == 0
    assert workplace.git("status", "--porcelain") == ""
    assert main.writes() == []

    assert run([*DRIFT, "--report", "pull-request"]) == 2
    assert "Edited one" in proposed(main)
    assert workplace.git("status", "--porcelain") == ""

    workplace.specs(CONTACTS + "    three: {label: Three, type: string, fieldType: text, groupName: g}\n")
    assert run(["ci", "apply", "-q", "--no-approval", "--only", "properties/contacts/three"]) == 0
    assert "Edited one" not in main.files("main")[BASELINE]
    assert "Three" in main.files("main")[BASELINE]


def test_a_pull_request_that_git_cannot_make_is_a_warning(main, workplace, capsys):
    """A surface never costs the exit code: the check went well, and the webhook is told."""
    workplace.edit(property="one", label="Edited")
    shutil.rmtree(".git")
    hook = Webhook()

    with served(hook) as url:
        assert run([*DRIFT, "--no-fail", "--report", "pull-request", "--notify", f"{url}/secret-path"]) == 0

    assert "the pull request was not written: specs/baselines/demo is in no git repository" in capsys.readouterr().err
    assert len(hook.calls) == 1


def test_a_dry_run_touches_nothing(main, workplace, capsys):
    """Issue, pull request and webhook are told of, and nothing is accepted."""
    workplace.edit(property="one", label="Edited")
    secret = "https://hooks.slack.com/services/T0/B0/s3cret"

    assert run([*DRIFT, "--dry-run", "--notify", secret]) == 2
    assert run([*DRIFT, "--dry-run", "--report", "pull-request"]) == 2

    said = capsys.readouterr()
    assert main.calls == []
    assert workplace.git("status", "--porcelain") == ""
    assert "would call POST /repos/acme/crm/issues" in said.out
    assert "would post to the webhook" in said.out
    assert "s3cret" not in said.out + said.err
    assert TOKEN not in said.out + said.err


def test_portals_have_issues_of_their_own(main, workplace):
    """Two portals, two issues; the one that cannot be checked takes nothing from the other."""
    workplace.edit(property="one", label="Edited")

    assert run([*DRIFT, "--portals", "all"]) == 3  # the other portal has no baseline

    assert issue(main)["title"] == "HubSpot drift: demo"
    assert "other" in Path("summary.md").read_text("utf-8")


def news(hook):
    """What was posted: the addresses that are new, and how many are resolved."""
    bodies = [body for _, _, body in hook.calls]
    hook.forget()
    return [([item["address"] for item in body["new"]], len(body["resolved"])) for body in bodies]


ONE, TWO = "properties/contacts/one", "properties/contacts/two"


def test_an_issue_that_is_refused_keeps_no_webhook_from_its_news(main, workplace):
    """The webhook needs no permission of the host's, and on the same machine it is told once."""
    main.denied = {"/issues": "issues=write"}
    workplace.edit(property="one", label="Edited")
    hook = Webhook()

    with served(hook) as url:
        words = [*DRIFT, "--notify", f"{url}/secret-path"]
        assert [run(words), run(words)] == [2, 2]
        assert news(hook) == [([ONE], 0)]
        main.denied = {}
        assert run(words) == 2
        assert (news(hook), issue(main)["state"]) == ([], "open")


def test_a_webhook_that_was_down_is_told_later(main, workplace):
    """The issue remembers what the webhook does not know yet, for machines that forget all else; and says it once."""
    workplace.edit(property="one", label="Edited")
    hook = Webhook()

    with served(hook) as url:
        words = [*DRIFT, "--notify", f"{url}/secret-path"]
        hook.status = 500
        assert run(words) == 2
        workplace.edit(property="two", label="Edited too")
        assert run(words) == 2
        hook.status = 200
        hook.forget()
        assert run(words) == 2
        assert news(hook) == [([ONE, TWO], 0)]
        shutil.rmtree(".reconciler/notified")
        assert run(words) == 2
        assert news(hook) == []
        workplace.edit(property="two", label="Two")
        assert run(words) == 2
        assert news(hook) == [([], 1)]
    assert [remark.partition("\n")[0] for remark in remarks(main)] == [
        "**1 new.** 2 items open.",
        "**1 resolved.** 1 item open.",
    ]


def test_a_check_of_a_part_speaks_for_no_other(main, workplace):
    """With --only, an issue and a memory of their own: what was not looked at is neither clean nor resolved."""
    hook = Webhook()
    workplace.edit(property="one", label="Edited")
    with served(hook) as url:
        words = [*DRIFT, "--notify", f"{url}/secret-path"]
        assert run(words) == 2
        assert run([*words, "--report", "none"]) == 2
        hook.calls.clear()

        assert run([*words, "--only", "properties/contacts/two"]) == 0
        assert run([*words, "--only", "properties/contacts/two", "--report", "none"]) == 0
    assert (issue(main)["state"], remarks(main), hook.calls) == ("open", [], [])

    for _ in range(2):
        assert run([*DRIFT, "--only", "properties/contacts/one"]) == 2
    assert [one["title"] for one in main.issues.values()] == [
        "HubSpot drift: demo",
        "HubSpot drift: demo (only properties/contacts/one)",
    ]


def test_a_pull_request_for_a_part_is_one_of_its_own(main, workplace):
    """A clean check of something else closes no pull request."""
    workplace.edit(property="one", label="Edited")
    assert run([*DRIFT, "--report", "pull-request"]) == 2
    assert run([*DRIFT, "--report", "pull-request", "--only", "properties/contacts/two"]) == 0
    assert run([*DRIFT, "--report", "pull-request", "--only", "properties/contacts/one"]) == 2

    (whole, part) = main.pulls.values()
    assert (whole["head"], whole["state"], part["state"]) == ("hubspot-reconciler/drift-demo", "open", "open")
    assert re.fullmatch(r"hubspot-reconciler/drift-demo-[0-9a-f]{16}", part["head"])


def test_documents_are_kept(main, workplace):
    """--documents keeps what was found, for a later job."""
    workplace.edit(property="one", label="Edited")
    run([*DRIFT, "--documents", "docs"])

    assert len(json.loads(Path("docs/drift-demo.json").read_text("utf-8"))["items"]) == 1
