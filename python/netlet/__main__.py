"""The command line: ``python -m netlet info`` and ``python -m netlet examples``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from netlet._version import __version__

EPILOG = "With no command, this help. Every command has a --help of its own."


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status: 0, or 1 if ``info`` finds that no backend can serve.

    Args:
        arguments: the command line without the program's name; ``sys.argv[1:]`` if None.

    Raises: SystemExit with status 2 for wrong usage, as argparse does.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command == "info":
        return _info(as_json=options.json, peak=options.peak)
    if options.command == "examples":
        _examples()
    else:
        parser.print_help()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m netlet", description="Netlet: small, fast, dependable neural networks.", epilog=EPILOG
    )
    parser.add_argument("--version", action="version", version=f"netlet {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    info = commands.add_parser(
        "info",
        help="what Netlet runs on here",
        description="Prints what Netlet runs on here: version, backend in use and why the others are not, instruction "
        "set, threads, OpenMP, CUDA. Exits with status 1 if no backend can serve. Add it to a bug report.",
    )
    info.add_argument("--json", action="store_true", help="as JSON, for programs")
    info.add_argument(
        "--peak",
        action="store_true",
        help="measure, too, the processor's floating-point peak and how far apart two threads are",
    )
    commands.add_parser(
        "examples", help="list the examples", description="Lists the examples and what each of them shows."
    )
    return parser


def _info(*, as_json: bool, peak: bool) -> int:
    from netlet.runtime import format_runtime, measure_peaks, round_trip, runtime_info

    info = runtime_info()
    if peak:
        info["peak"] = measure_peaks()
        info["round_trip"] = round_trip()
    print(json.dumps(info, indent=2) if as_json else format_runtime(info))
    return 0 if info["backend"] else 1


def _examples() -> None:
    from netlet.examples import EXAMPLES

    width = max(map(len, EXAMPLES))
    for name, shows in EXAMPLES.items():
        print(f"python -m netlet.examples.{name:<{width}}  {shows}")


if __name__ == "__main__":
    sys.exit(main())
