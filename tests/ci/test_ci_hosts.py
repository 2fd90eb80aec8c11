"""``reconciler ci`` on GitLab, Azure and Bitbucket, and the webhook: emulated hosts over loopback, logs and files."""

import json
from pathlib import Path

import pytest
from ci_workplace import CONTACTS
from host_fakes import TOKEN, Bitbucket, GitLab, Webhook, served

from reconciler.cli import run
from reconciler.emulator import Portal

PLAN = ["ci", "plan", "-q"]
DRIFT = ["ci", "drift", "-q"]
APPLY = ["ci", "apply", "-q"]
BASELINE = "specs/baselines/demo/properties.contacts.json"
STONE = "removed:\n  - {address: properties/contacts/two, reason: unused}\n"
DESTRUCTIVE = CONTACTS.replace("    two: {label: Two, type: string, fieldType: text, groupName: g}\n", STONE)


def on_gitlab(workplace, url, token=True):
    workplace.environ(
        GITLAB_CI="true",
        CI_API_V4_URL=f"{url}/api/v4",
        CI_PROJECT_ID="5",
        CI_PROJECT_URL="https://gitlab.example/acme/crm",
        CI_MERGE_REQUEST_IID="3",
        CI_COMMIT_SHA="a1",
        CI_COMMIT_BRANCH="main",
        CI_JOB_URL="https://gitlab.example/acme/crm/-/jobs/1",
    )
    if token:
        workplace.environ(GITLAB_TOKEN=TOKEN)


def test_gitlab_has_a_note_a_widget_and_a_code_quality_report(workplace):
    """One note in the merge request, left alone while nothing changes; the reports need no token."""
    host = GitLab()
    with served(host) as url:
        on_gitlab(workplace, url)
        workplace.specs(DESTRUCTIVE)
        assert [run(PLAN), run(PLAN)] == [0, 0]
        workplace.specs(DESTRUCTIVE.replace("label: One", "label: Uno"))
        assert run(PLAN) == 0

    assert [method for method, _ in host.writes()] == ["POST", "PUT"]
    (note,) = host.notes.values()
    assert "1 to update, 1 to archive" in note["body"]
    assert json.loads(Path("hubspot-terraform.json").read_text("utf-8")) == {"create": 0, "update": 1, "delete": 1}
    report = Path("hubspot-codequality.json").read_bytes()
    (finding,) = json.loads(report)
    assert (finding["severity"], finding["check_name"], finding["location"]) == (
        "critical",
        "guard-destructive",
        {"path": "specs/contacts.yaml", "lines": {"begin": 6}},
    )
    assert run(["plan", "-q", "-o", "gitlab-codequality:alone.json", "-o", "gitlab-terraform:counts.json"]) == 0
    assert Path("alone.json").read_bytes() == report
    assert Path("counts.json").read_bytes() == Path("hubspot-terraform.json").read_bytes()


def test_a_guard_that_refuses_the_whole_plan_is_told(workplace, capsys):
    """No change is to blame for it, so it stands for the run as a whole."""
    workplace.environ(TF_BUILD="True", BUILD_BUILDID="8", BUILD_SOURCEVERSION="a1")
    settings = Path("specs/reconciler.yaml")
    settings.write_text(settings.read_text("utf-8") + "guards: {maxChanges: 0}\n", "utf-8")
    workplace.specs(CONTACTS.replace("label: One", "label: Uno"))

    assert run(PLAN) == 0

    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("##vso[task.logissue")]
    assert said == [
        "##vso[task.logissue type=error;code=guard-max-changes;]refused by guard max-changes: 1 changes%3B the settings"
        " allow 0%3B to allow it: raise guards.maxChanges, or split the change with --only"
    ]


def test_gitlab_has_one_issue_for_drift(workplace):
    """Opened, kept, closed and reopened as on GitHub."""
    host = GitLab()
    with served(host) as url:
        on_gitlab(workplace, url)
        workplace.edit(property="one", label="Edited")
        assert [run(DRIFT), run(DRIFT)] == [2, 2]
        (issue,) = host.issues.values()
        assert (issue["title"], issue["labels"], issue["state"]) == ("HubSpot drift: demo", "hubspot-drift", "opened")
        workplace.edit(property="one", label="One")
        assert run(DRIFT) == 0
        assert issue["state"] == "closed"
        workplace.edit(property="one", label="Edited again")
        assert run(DRIFT) == 2

    assert issue["state"] == "opened"
    assert len(host.issues) == 1


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("/close", "\\/close changed 1 of ours"),
        ("/title x", "\\/title x changed 1 of ours"),
        ("1. x", "1\\. x changed 1 of ours"),
        ("- x", "\\- x changed 1 of ours"),
        ("+1 x", "+1 x changed 1 of ours"),
        ("Dana", "Dana changed 1 of ours"),
    ],
)
def test_a_users_name_gives_gitlab_no_command(workplace, name, begins):
    """A line of an issue that begins with /close is carried out with the rights of the job's token."""
    workplace.edit(property="one", label="Edited")
    portal = Portal.open(".reconciler/demo.json")
    portal.state["users"]["2002"].update(firstName=name, lastName="")
    portal.save()
    host = GitLab()
    with served(host) as url:
        on_gitlab(workplace, url)
        assert run(DRIFT) == 2

    (issue,) = host.issues.values()
    (story,) = [line for line in issue["description"].splitlines() if "changed 1 of ours" in line]
    assert story.startswith(begins)


def on_main(workplace, url):
    """A run on the main branch of GitLab, where the baseline is tracked."""
    on_gitlab(workplace, url)
    workplace.monkeypatch.delenv("CI_MERGE_REQUEST_IID")


def test_gitlab_takes_the_baseline_back_in_a_merge_request(workplace):
    """One for the portal, brought up to date by the next apply; the main branch is left to people."""
    host = GitLab()
    host.branches["main"][BASELINE] = Path(BASELINE).read_text("utf-8")
    with served(host) as url:
        on_main(workplace, url)
        for label in ("Uno", "Due"):
            workplace.specs(CONTACTS.replace("label: One", f"label: {label}"))
            assert run([*APPLY, "--no-approval", "--baseline", "pull-request"]) == 0

    (request,) = host.requests.values()
    assert (request["source_branch"], request["target_branch"]) == ("hubspot-reconciler/baseline-demo", "main")
    assert '"Due"' in host.branches["hubspot-reconciler/baseline-demo"][BASELINE]
    assert '"One"' in host.branches["main"][BASELINE]


def test_gitlab_has_drift_as_a_merge_request(workplace):
    """It accepts what moved, is kept while nothing moves, and is closed with a note when the portal is clean."""
    host = GitLab()
    host.branches["main"][BASELINE] = Path(BASELINE).read_text("utf-8")
    with served(host) as url:
        on_main(workplace, url)
        workplace.edit(property="one", label="Edited")
        assert run([*DRIFT, "--report", "pull-request"]) == 2
        (request,) = host.requests.values()
        assert "Edited" in host.branches["hubspot-reconciler/drift-demo"][BASELINE]
        before = len(host.writes())
        workplace.git("checkout", "-q", "--", "specs")
        assert run([*DRIFT, "--report", "pull-request"]) == 2
        assert len(host.writes()) == before
        workplace.git("checkout", "-q", "--", "specs")
        workplace.edit(property="one", label="One")
        assert run([*DRIFT, "--report", "pull-request"]) == 0

    assert request["state"] == "closed"
    assert len(host.notes) == 1


def test_azure_reads_annotations_and_outputs_from_the_log(workplace, capsys):
    """Logging commands for what destroys, the summary, and variables of later steps."""
    workplace.environ(TF_BUILD="True", BUILD_BUILDID="8", BUILD_SOURCEVERSION="a1")
    workplace.specs(DESTRUCTIVE)
    assert run(PLAN) == 0

    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("##vso[")]
    start = "##vso[task.logissue type=warning;sourcepath=specs/contacts.yaml;linenumber=6;columnnumber=5;code=archive"
    assert lines[0].startswith(start)
    assert lines[1].startswith("##vso[task.uploadsummary]")
    assert "properties/contacts/two" in Path("hubspot-summary.md").read_text("utf-8")
    assert "##vso[task.setvariable variable=hubspot_has_destructive;isOutput=true]true" in lines

    workplace.edit(property="one", label="Edited")
    assert run([*DRIFT, "--no-fail"]) == 0
    assert "##vso[task.complete result=SucceededWithIssues;]HubSpot moved" in capsys.readouterr().out.splitlines()


def test_azure_links_to_its_run_whatever_the_project_is_called(workplace, capsys):
    """A project's name may hold blanks and brackets, which would end the link."""
    workplace.environ(
        TF_BUILD="True",
        SYSTEM_COLLECTIONURI="https://dev.azure.com/acme/",
        SYSTEM_TEAMPROJECT="My Project (crm)",
        BUILD_BUILDID="8",
    )

    assert run([*DRIFT, "--notify", "https://hooks.example.org/x", "--dry-run"]) == 0
    workplace.edit(property="one", label="Edited")
    assert run([*DRIFT, "--notify", "https://hooks.example.org/x", "--dry-run"]) == 2

    url = '"runUrl": "https://dev.azure.com/acme/My%20Project%20%28crm%29/_build/results?buildId=8"'
    assert url in capsys.readouterr().out


def test_bitbucket_has_a_report_with_annotations(workplace):
    """A Code Insights report that replaces the one before, without a token."""
    host = Bitbucket()
    with served(host) as url:
        workplace.environ(
            BITBUCKET_BUILD_NUMBER="4",
            BITBUCKET_API_URL=f"{url}/2.0",
            BITBUCKET_REPO_FULL_NAME="acme/crm",
            BITBUCKET_COMMIT="a1",
        )
        workplace.specs(DESTRUCTIVE)
        assert [run(PLAN), run(PLAN)] == [0, 0]

    (report,) = host.reports.values()
    assert (report["title"], report["result"]) == ("HubSpot plan: demo", "PASSED")
    (annotation,) = report["annotations"]
    assert (annotation["path"], annotation["line"], annotation["severity"]) == ("specs/contacts.yaml", 6, "MEDIUM")
    assert len(annotation["summary"]) <= 450


@pytest.mark.parametrize(("form", "key"), [("generic", "kind"), ("slack", "text"), ("teams", "attachments")])
def test_a_webhook_is_told_of_transitions_and_of_nothing_else(workplace, capsys, form, key):
    """What begins and ends is posted once, silence posts nothing, and the address is in no output."""
    host = Webhook()
    with served(host) as url:
        words = ["drift", "-q", "--notify", f"{url}/secret-path", "--notify-format", form]
        assert run(words) == 0
        assert host.calls == []
        workplace.edit(property="one", label="Edited <!channel>")
        assert [run(words), run(words)] == [2, 2]
        assert len(host.calls) == 1
        assert key in host.calls[0][2]
        assert "properties/contacts/one" in json.dumps(host.calls[0][2]).replace("\\\\", "")

        workplace.edit(property="one", label="One")
        host.status = 500
        assert run(words) == 0
        host.status = 200
        assert run(words) == 0
        assert len(host.calls) == 3
    assert "secret-path" not in "".join(capsys.readouterr())


def test_a_webhook_that_cannot_be_reached_is_not_named(workplace, capsys):
    """The exit code stays, and the warning says nothing of the address."""
    workplace.edit(property="one", label="Edited")

    assert run(["drift", "--notify", "http://127.0.0.1:9/s3cret"]) == 2
    assert run(["drift", "--notify", "http://example.org/s3cret"]) == 2

    said = "".join(capsys.readouterr())
    assert said.count("nobody was notified: the webhook") == 2
    assert "s3cret" not in said
