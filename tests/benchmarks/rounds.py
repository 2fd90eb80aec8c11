"""Runs whole commands in turn, A B C A B C, and takes the kernel's own figures of each."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
SCRIPT = """#!{python}
import sys
from reconciler.__main__ import main
if __name__ == '__main__':
    sys.argv[0] = sys.argv[0].removesuffix('.exe')
    sys.exit(main())
"""


class Cost(NamedTuple):
    """What one run of a command took."""

    wall: float
    cpu: float
    peak: float  # MiB


def environment(cache: Path) -> dict[str, str]:
    """Compiled modules are kept, as they are after an installation."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH")}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(cache), "HUBSPOT_ACCESS_TOKEN": "made-up"}


def _program(words: Sequence[str], cache: Path) -> list[str]:
    if words[0] == "reconciler":
        return [installed(cache.parent), *words[1:]]
    return [*words] if words[0].startswith("/") else [sys.executable, *words]


def installed(work: Path) -> str:
    """The command as pip 26 installs it; older ones import `re` in it, which takes a third as long as Python itself."""
    script = work / "bin" / "reconciler"
    if not script.exists():
        script.parent.mkdir(exist_ok=True)
        script.write_text(SCRIPT.format(python=sys.executable))
        script.chmod(0o755)
    return str(script)


def once(
    words: Sequence[str],
    place: Path,
    cache: Path,
    codes: Sequence[int] = (0, 2),
    more: Mapping[str, str] | None = None,
    core: int | None = None,
) -> Cost:
    """One run, in a directory, of ours, of a program by its whole path, or of this Python; on one core, or on any."""
    start = time.perf_counter()
    process = subprocess.Popen(
        _program(words, cache),
        cwd=place,
        env={**environment(cache), **(more or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=None if core is None else lambda: os.sched_setaffinity(0, {core}),
    )
    assert process.stderr is not None
    said = process.stderr.read()
    process.stderr.close()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in codes:
        raise SystemExit(f"{' '.join(words)} ended with {process.returncode}: {said.decode()[-2000:]}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def in_turn(
    commands: Mapping[str, Sequence[str]], place: Path, cache: Path, rounds: int, refused: Sequence[str] = ()
) -> dict[str, list[Cost]]:
    """So many rounds of all commands; one before them warms up. The refused ones have to end with 3."""
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for turn in range(rounds + 1):
        for name, words in commands.items():
            cost = once(words, place, cache, (3,) if name in refused else (0, 2))
            if turn:
                costs[name].append(cost)
    return costs


def ratio(costs: Sequence[Cost], floor: Sequence[Cost], of: str) -> float:
    """The median of the ratios within each round."""
    return median(getattr(one, of) / getattr(other, of) for one, other in zip(costs, floor, strict=True))
