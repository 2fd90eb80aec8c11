"""Where a run is: the CI host, and what it says of the commit, the pull request and the files it reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from reconciler.model import Json
from reconciler.render.style import Origin

Host = Literal["github", "gitlab", "azure", "bitbucket", "plain"]
NO_COMMIT = "0" * 40  # what GitLab says where there is no commit


@dataclass(frozen=True, slots=True)
class Place:
    """A run on a CI host; what a host does not say is empty."""

    host: Host = "plain"
    api_url: str = ""
    server_url: str = ""
    repository: str = ""  # as the host's API addresses it
    commit: str = ""  # what is reviewed, or was merged
    base: str = ""  # the commit that a pull request would be merged into
    branch: str = ""  # what the run is about to move, where it is on a branch
    pull_request: str = ""
    fork: bool = False
    run_url: str = ""
    summary_file: Path | None = None
    output_file: Path | None = None
    checkout: Path = Path()

    @property
    def origin(self) -> Origin:
        """What a comment links to: the lines of the specs at this commit, and the run that holds the whole."""
        ways = {"github": "/blob/{commit}/{path}#L{line}", "gitlab": "/-/blob/{commit}/{path}#L{line}"}
        ways["bitbucket"] = "/src/{commit}/{path}#lines-{line}"
        way = ways.get(self.host, "").replace("{commit}", self.commit)
        top = f"{self.server_url}/{self.repository}" if self.host == "github" else self.server_url
        return Origin(self.commit, f"{top}{way}" if way and self.commit else "", self.run_url)

    @property
    def short_commit(self) -> str:
        """The commit as people write it."""
        return self.commit[:7]


def detect(environ: Mapping[str, str], event: Json = None) -> Place:
    """The place that the environment tells of; ``event`` is the payload that GitHub keeps in a file."""
    if environ.get("GITHUB_ACTIONS") == "true":
        return _github(environ, event if isinstance(event, Mapping) else {})
    if environ.get("GITLAB_CI"):
        return _gitlab(environ)
    if environ.get("TF_BUILD"):
        return _azure(environ)
    if environ.get("BITBUCKET_BUILD_NUMBER"):
        return _bitbucket(environ)
    return Place()


def _github(environ: Mapping[str, str], event: Mapping[str, Json]) -> Place:
    """A pull request's run checks out a merge commit (GITHUB_SHA); what is reviewed is its head."""
    pull = _part(event, "pull_request")
    head, base = _part(pull, "head"), _part(pull, "base")
    repository = environ.get("GITHUB_REPOSITORY", "")
    server = environ.get("GITHUB_SERVER_URL", "https://github.com")
    run_id = environ.get("GITHUB_RUN_ID", "")
    return Place(
        host="github",
        api_url=environ.get("GITHUB_API_URL", "https://api.github.com"),
        server_url=server,
        repository=repository,
        commit=head.get("sha") or environ.get("GITHUB_SHA", ""),
        base=base.get("sha", ""),
        branch=_branch(environ.get("GITHUB_REF", "")) if not pull else "",
        pull_request=str(pull.get("number") or ""),
        fork=bool(pull) and _part(head, "repo").get("full_name") != repository,
        run_url=f"{server}/{repository}/actions/runs/{run_id}" if run_id else "",
        summary_file=_file(environ, "GITHUB_STEP_SUMMARY"),
        output_file=_file(environ, "GITHUB_OUTPUT"),
        checkout=Path(environ.get("GITHUB_WORKSPACE") or "."),
    )


def _part(event: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    """A part of an event; nothing where it has none, or where somebody wrote the event by hand."""
    part = event.get(name)
    return part if isinstance(part, Mapping) else {}


def _gitlab(environ: Mapping[str, str]) -> Place:
    base = environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_SHA") or environ.get("CI_MERGE_REQUEST_DIFF_BASE_SHA", "")
    source = environ.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "")
    return Place(
        host="gitlab",
        api_url=environ.get("CI_API_V4_URL", "https://gitlab.com/api/v4"),
        server_url=environ.get("CI_PROJECT_URL", ""),
        repository=environ.get("CI_PROJECT_ID", ""),
        commit=environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or environ.get("CI_COMMIT_SHA", ""),
        base="" if base == NO_COMMIT else base,
        branch=environ.get("CI_COMMIT_BRANCH", ""),
        pull_request=environ.get("CI_MERGE_REQUEST_IID", ""),
        fork=bool(source) and source != environ.get("CI_MERGE_REQUEST_PROJECT_ID"),
        run_url=environ.get("CI_JOB_URL", ""),
        checkout=Path(environ.get("CI_PROJECT_DIR") or "."),
    )


def _azure(environ: Mapping[str, str]) -> Place:
    collection, project = environ.get("SYSTEM_COLLECTIONURI", ""), environ.get("SYSTEM_TEAMPROJECT", "")
    build, target = environ.get("BUILD_BUILDID", ""), environ.get("SYSTEM_PULLREQUEST_TARGETBRANCH", "")
    pull_request = environ.get("SYSTEM_PULLREQUEST_PULLREQUESTID", "")
    return Place(
        host="azure",
        commit=environ.get("SYSTEM_PULLREQUEST_SOURCECOMMITID") or environ.get("BUILD_SOURCEVERSION", ""),
        base=f"origin/{target.removeprefix('refs/heads/')}" if target else "",
        branch=_branch(environ.get("BUILD_SOURCEBRANCH", "")) if not pull_request else "",
        pull_request=pull_request,
        fork=environ.get("SYSTEM_PULLREQUEST_ISFORK", "").lower() == "true",
        run_url=f"{collection}{quote(project, safe='')}/_build/results?buildId={build}" if build else "",
        checkout=Path(environ.get("BUILD_SOURCESDIRECTORY") or "."),
    )


def _bitbucket(environ: Mapping[str, str]) -> Place:
    repository, origin = environ.get("BITBUCKET_REPO_FULL_NAME", ""), environ.get("BITBUCKET_GIT_HTTP_ORIGIN", "")
    pull_request, number = environ.get("BITBUCKET_PR_ID", ""), environ["BITBUCKET_BUILD_NUMBER"]
    return Place(
        host="bitbucket",
        api_url=environ.get("BITBUCKET_API_URL", "http://api.bitbucket.org/2.0"),
        server_url=origin,
        repository=repository,
        commit=environ.get("BITBUCKET_COMMIT", ""),
        base=environ.get("BITBUCKET_PR_DESTINATION_COMMIT", ""),
        branch=environ.get("BITBUCKET_BRANCH", "") if not pull_request else "",
        pull_request=pull_request,
        run_url=f"{origin}/pipelines/results/{number}" if origin else "",
        checkout=Path(environ.get("BITBUCKET_CLONE_DIR") or "."),
    )


def _branch(ref: str) -> str:
    """The branch that a ref names; a tag is none."""
    head, _, name = ref.partition("refs/heads/")
    return "" if head else name


def _file(environ: Mapping[str, str], name: str) -> Path | None:
    return Path(environ[name]) if environ.get(name) else None
