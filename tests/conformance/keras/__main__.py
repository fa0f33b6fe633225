"""Runs Keras' unit tests against Netlet and prints, checks or records what became of them.

    python tests/conformance/keras [FAMILY | FILE | NAME ...] [-v] [--check | --record]

FAMILY is activations, losses, ...; FILE a test file relative to ``keras/src``, such as ``losses/loss_test.py``; NAME
part of a test's name, such as ``losses/loss_test.py::LossTest::test_reduction``. All families by default.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from harness import record, report
from harness.run import run_file
from harness.suite import FAMILIES, family_of, files_of, missing_requirement


def chosen(wanted: list[str]) -> dict[str, list[str]]:
    """Return the test files to run, each with the texts that its tests' names must contain (none: all tests)."""
    files: dict[str, list[str]] = {}
    for text in wanted or list(FAMILIES):
        if text in FAMILIES:
            files.update({file: [] for file in files_of(text)})
            continue
        file, _, name = text.partition("::")
        if file not in files_of(family_of(file)):
            raise SystemExit(f"{text}: no family ({', '.join(FAMILIES)}) and no test file of Keras")
        files.setdefault(file, []).extend([f"::{name}"] if name else [])
    return files


def main() -> int:
    parser = argparse.ArgumentParser(prog="python tests/conformance/keras", description=__doc__)
    parser.add_argument("wanted", nargs="*", metavar="FAMILY|FILE|NAME")
    parser.add_argument("-v", "--verbose", action="store_true", help="print the traceback of each failure")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="fail if the outcomes are not the recorded ones")
    what.add_argument("--record", action="store_true", help="record the outcomes and write RESULTS.md")
    options = parser.parse_args()
    if (why := missing_requirement()) is not None:
        print(why, file=sys.stderr)
        return 2
    files = chosen(options.wanted)
    if (options.check or options.record) and any(files.values()):
        parser.error("outcomes are checked and recorded by whole files")
    runs = []
    for file, only in files.items():
        run = run_file(file, only)
        runs.append(run)
        if len(runs) == 1:
            print(run.tested)
        report.print_run(run, options.verbose)
    totals = Counter(outcome for run in runs for outcome in record.judged(run).values())
    print(f"\n{totals['passed']} passed, {totals['failed']} failed")
    if options.record:
        for family in dict.fromkeys(family_of(run.file) for run in runs):
            outcomes = record.recorded(family)
            for run in runs:
                if family_of(run.file) == family:
                    new = record.judged(run)
                    outcomes = {name: was for name, was in outcomes.items() if name.split("::")[0] != run.file} | new
            record.write(family, outcomes)
        report.write()
    if options.check:
        found = [line for run in runs for line in record.differences(run)]
        print("\n".join(["", *found]) if found else "as recorded")
        return 1 if found else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
