"""Brings the baseline that an apply moved back into the repository: a commit of a bot, or a pull request."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Protocol

from reconciler import git
from reconciler.ci import comment
from reconciler.ci.marks import Mark
from reconciler.errors import HostRefused, StaleError
from reconciler.git import Moved

Back = Literal["commit", "pull-request", "keep"]
BRANCH = "hubspot-reconciler"
TRIES = 3
IDENTITY = ("-c", "user.name=hubspot-reconciler", "-c", "user.email=hubspot-reconciler@users.noreply.invalid")


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
    """Commits and pushes, where the host has no call for it; again on top of what others pushed.

    All of it happens beside the checkout, so that whatever goes wrong leaves nothing there for the next portal.
    """
    with _beside(git.top(directory)) as tree:
        for one in moved:
            _take(tree, one)
        git.run(tree, "add", "--all", "--", *(one.path for one in moved))
        git.run(tree, *IDENTITY, "commit", "-q", "-m", text)
        for _ in range(TRIES):
            if git.tried(tree, "push", "-q", "origin", f"HEAD:refs/heads/{branch}"):
                return
            git.run(tree, "fetch", "-q", "origin", f"refs/heads/{branch}")
            if not git.tried(tree, *IDENTITY, "rebase", "-q", "FETCH_HEAD"):
                hint = "bring it back by hand, or accept what is live"
                raise StaleError(f"{branch} has another change of the same lines", hint=hint)
    raise HostRefused(403, "git push was refused", request=f"git push origin {branch}")


@contextmanager
def _beside(top: Path) -> Iterator[Path]:
    """The last commit of a repository, checked out once more in a place that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="reconciler-") as folder:
        tree = Path(folder) / "tree"
        git.run(top, "worktree", "add", "-q", "--detach", str(tree), "HEAD")
        try:
            yield tree
        finally:
            git.ran(top, "worktree", "remove", "--force", str(tree))


def _take(tree: Path, moved: Moved) -> None:
    file = tree / moved.path
    if moved.text is None:
        file.unlink(missing_ok=True)
    else:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(moved.text.encode("utf-8"))
