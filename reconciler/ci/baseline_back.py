"""Brings the baseline that an apply moved back into the repository: a commit of a bot, or a pull request."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

from reconciler import git
from reconciler.ci import comment
from reconciler.ci.marks import Mark
from reconciler.errors import HostRefused
from reconciler.git import Moved

Back = Literal["commit", "pull-request", "keep"]
BRANCH = "hubspot-reconciler"
TRIES = 3


class Forge(Protocol):
    """A host that keeps the repository."""

    def commit(self, branch: str, moved: Sequence[Moved], message: str) -> None:
        """Puts files onto the end of a branch, whoever else puts something there."""
        ...

    def propose(self, branch: str, moved: Sequence[Moved], message: str, text: comment.Text, wanted: Mark) -> None:
        """A pull request with these files, made or brought up to date."""
        ...

    def withdraw(self, branch: str, note: str) -> None:
        """Closes the pull request of a branch, where there is one."""
        ...


def message(portal: str, what: str) -> str:
    """The message of a commit of ours; nothing is to be run for it."""
    return f"hubspot: {what} of {portal}\n\n[skip ci]"


def push(directory: Path, branch: str, moved: Sequence[Moved], text: str) -> None:
    """Commits in the checkout and pushes, where the host has no call for it; again on top of what others pushed."""
    top = git.top(directory)
    git.run(top, "add", "--", *(one.path for one in moved))
    identity = ("-c", "user.name=hubspot-reconciler", "-c", "user.email=hubspot-reconciler@users.noreply.invalid")
    git.run(top, *identity, "commit", "-q", "-m", text, "--", *(one.path for one in moved))
    for _ in range(TRIES):
        if git.tried(top, "push", "-q", "origin", f"HEAD:refs/heads/{branch}"):
            return
        git.run(top, "fetch", "-q", "origin", f"refs/heads/{branch}")
        git.run(top, *identity, "rebase", "-q", "FETCH_HEAD")
    raise HostRefused(403, "git push was refused", request=f"git push origin {branch}")
