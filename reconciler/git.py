"""The little of git that is needed: which commit a name means, and the specs as they were in it."""

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.errors import UsageError


def commit_of(ref: str, near: Path) -> str:
    """The full id of the commit that a name means, in the repository that a directory lies in."""
    done = _run(_top(near), "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    if done.returncode:
        hint = "fetch it first; in CI the checkout has to reach back that far (`fetch-depth: 0`)"
        raise UsageError(f"there is no commit {ref} in this repository", hint=hint)
    return done.stdout.decode().strip()


@contextmanager
def specs_at(commit: str, directory: Path) -> Iterator[Path]:
    """A directory as it was in a commit; where it was not there yet, an empty one."""
    top = _top(directory)
    inside = _inside(directory, top)
    with tempfile.TemporaryDirectory(prefix="reconciler-") as folder:
        target = Path(folder) / "tree"
        target.mkdir()
        if _run(top, "cat-file", "-e", f"{commit}:{inside}").returncode == 0:
            _extract(top, commit, inside, target)
        (target / inside).mkdir(parents=True, exist_ok=True)
        yield target / inside


def _extract(top: Path, commit: str, inside: str, target: Path) -> None:
    wanted = ["--", inside] if inside != "." else []
    done = _run(top, "archive", "--format=tar", commit, *wanted)
    if done.returncode:
        raise UsageError(f"git cannot unpack {commit}: {done.stderr.decode(errors='replace').strip()}")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(target, filter="data")


def _top(near: Path) -> Path:
    """The root of the repository."""
    there = near.resolve()
    while not there.is_dir():
        there = there.parent
    done = _run(there, "rev-parse", "--show-toplevel")
    if done.returncode:
        hint = "run it in a clone of the repository that holds the specs"
        raise UsageError(f"{near} is in no git repository", where=str(near), hint=hint)
    return Path(done.stdout.decode().removesuffix("\n"))


def _inside(directory: Path, top: Path) -> str:
    return directory.resolve().relative_to(top.resolve()).as_posix()


def _run(where: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", "-C", str(where), *words], capture_output=True, check=False)
    except FileNotFoundError as error:
        raise UsageError("git is not installed", hint="install git") from error
