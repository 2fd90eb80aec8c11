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

    from reconciler.cli import run_in
    from reconciler.cli.session import Session

    session = Session(sys.argv[1:])
    code = run_in(session)
    with suppress(OSError):  # somebody stopped reading
        sys.stdout.flush()
        sys.stderr.flush()
    # Everything is written. To take apart what was read, and then the interpreter, is a tenth of a run.
    os._exit(code)


if __name__ == "__main__":
    main()
