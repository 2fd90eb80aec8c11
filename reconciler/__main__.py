"""The command line."""

import sys


def main() -> None:
    """Runs the command line; ``--version`` alone is answered without loading it."""
    if sys.argv[1:] == ["--version"]:
        from reconciler import VERSION

        sys.stdout.write(f"reconciler {VERSION}\n")
        return
    from reconciler.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
