"""Makes the directories that the offline benchmarks work on, in a process of its own.

    python -m tests.benchmarks.workspaces WORK SIZE

A process that is started begins with the peak memory of the one that starts it, so that one has to stay small.
"""

import json
import sys
from pathlib import Path
from shutil import copytree

from reconciler import yaml_loader
from tests.benchmarks import made_up
from tests.benchmarks.rounds import once

OURS = ("reconciler",)


def prepare(work: Path, size: int) -> None:
    """The directory of one size."""
    place = work / str(size)
    listed = made_up.properties(size)
    settings, changed = made_up.settings(), made_up.spec(made_up.changed(listed))
    place.mkdir()
    (place / "live.json").write_text(made_up.recording(made_up.answers(listed)))
    (place / "empty.json").write_text(made_up.recording(made_up.answers([])))
    made_up.directory(place / "same", made_up.spec(listed), settings)
    made_up.directory(place / "changed", changed, settings)
    made_up.directory(place / "broken", changed.replace("type: string", "type: text", 1), settings)
    made_up.directory(place / "known", changed, settings)
    made_up.directory(place / "imported", "", settings)
    (place / "imported/contacts.yaml").unlink()
    cache = work / "cache"
    once((*OURS, "import", "--specs", "imported", "--from-snapshot", "live.json", "-q"), place, cache)
    made_up.directory(place / "settled", made_up.spec(listed), settings)
    copytree(place / "imported/baselines", place / "settled/baselines")
    (place / "imported/baselines").rename(place / "known/baselines")
    once(
        (*OURS, "plan", "--specs", "same", "--from-snapshot", "empty.json", "-q", "-o", "json:creates.json"),
        place,
        cache,
    )
    content = yaml_loader.load((place / "imported/contacts.yaml").read_bytes(), "contacts.yaml").value
    (place / "content.json").write_text(json.dumps(content))


if __name__ == "__main__":
    prepare(Path(sys.argv[1]), int(sys.argv[2]))
