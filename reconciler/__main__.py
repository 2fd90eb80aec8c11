"""The command line."""

import gc
import os
import sys


def main() -> None:
    """Runs the command line; ``--version`` alone is answered without loading it."""
    if sys.argv[1:] == ["--version"]:
        from reconciler import VERSION

        sys.stdout.write(f"reconciler {VERSION}\n")
        return
    # A run makes many values that stay and next to no cycles: a collector would walk them all again and again, which at
    # 10,000 definitions takes longer than comparing them. A run over many portals turns it on again.
    gc.disable()
    from contextlib import suppress

    from reconciler.cli import run

    code = run(sys.argv[1:])
    with suppress(OSError):  # somebody stopped reading
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)  # everything is written; to take the interpreter apart is a tenth of a small run


if __name__ == "__main__":
    main()
