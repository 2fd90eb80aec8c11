"""What every surface works with: the results of a run, the place it is at, and the ways to say something there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.ci import marks
from reconciler.ci.api import Api
from reconciler.ci.place import Place
from reconciler.errors import HostRefused, ReconcilerError
from reconciler.model import Json
from reconciler.render.words import clip

LONGEST_ONLY = 100  # signs; a title may have some 250


@dataclass(frozen=True, slots=True)
class Result:
    """What a run came to for one portal."""

    portal: str
    directory: str  # of the specs, as the repository calls it
    document: Mapping[str, Json]
    behind: int | None = None  # how many definitions live differ from the base branch, where that was looked at
    base: str = ""  # what the base is called
    only: Sequence[str] = ()  # what was looked at, if not all

    @property
    def key(self) -> str:
        """What our comments and issues about this portal and directory are found by."""
        return marks.key(self.portal, self.directory, self.only)

    @property
    def label(self) -> str:
        """What people see it called."""
        parts = [self.directory] if self.directory != "specs" else []
        parts += [f"only {clip(', '.join(self.only), LONGEST_ONLY)}"] if self.only else []
        return f"{self.portal} ({', '.join(parts)})" if parts else self.portal

    @property
    def code(self) -> int:
        """The exit code of this portal's run."""
        code: int = self.document["exit"]["code"]
        return code

    @property
    def failed(self) -> bool:
        """Whether the run says nothing of the portal: it could not begin, or not go on."""
        return self.code not in (0, 2, 6) or bool(self.document.get("errors"))


@dataclass(frozen=True, slots=True)
class Desk:
    """A place with the ways to say something there; a dry run has others of them."""

    place: Place
    api: Api | None  # none where there is no token for it
    say: Callable[[str], None]  # a line that the host reads from the log
    warn: Callable[[str], None]
    append: Callable[[Path, str], None]  # to a file that the host keeps for the job
    replace: Callable[[Path, str], None]  # a file of ours that the host takes up
    where: Callable[[str], str]  # a path of the specs as one of the repository

    def attempt(self, what: str, permission: str, do: Callable[[], object]) -> bool:
        """Whether a surface was written; what stands in its way costs a warning that names the permission it needs."""
        try:
            do()
        except HostRefused as error:
            needed = error.hint or permission
            lacking = f"; the job needs the permission `{needed}`" if error.status in (401, 403, 404) and needed else ""
            self.warn(f"{what} was not written: {error}{lacking}")
            return False
        except ReconcilerError as error:
            self.warn(f"{what} was not written: {error}{'; ' + error.hint if error.hint else ''}")
            return False
        except OSError as error:
            self.warn(f"{what} was not written: {error}")
            return False
        return True


Results = Sequence[Result]
