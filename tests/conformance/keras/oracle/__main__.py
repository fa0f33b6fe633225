"""Compares all trainings and prints, or records, how far Netlet's are from Keras'.

    python tests/conformance/keras/oracle [--record] [--keep FOLDER]

The outcomes are recorded beside this file in ``RECORDED.tsv`` (a line a case) and ``RESULTS.md`` (the largest
differences by optimizer). ``--keep`` reads what Keras made from a folder, or leaves it there: Keras takes most of the
time.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from netlet.backends import available_backends  # noqa: E402
from oracle import compare, results  # noqa: E402
from oracle.cases import cases  # noqa: E402
from oracle.results import DTYPES, Row  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(prog="python tests/conformance/keras/oracle", description=__doc__)
    parser.add_argument("--record", action="store_true", help="write RECORDED.tsv and RESULTS.md")
    parser.add_argument("--keep", metavar="FOLDER", type=Path, help="where Keras' results are, or go to")
    options = parser.parse_args()
    if (why := compare.why_no_keras()) is not None:
        print(why, file=sys.stderr)
        return 2
    todo = cases()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(exist_ok=True)
        keras = {dtype: compare.keras_train(todo, dtype, folder) for dtype in DTYPES}
    rows = []
    for i, case in enumerate(todo):
        theirs = {dtype: compare.keras_case(keras[dtype], i) for dtype in DTYPES}
        drift = compare.far(theirs["float32"], theirs["float64"])
        for backend in available_backends():
            for dtype in DTYPES:
                got = compare.netlet_case(case, dtype, backend)
                fine, off, why = compare.verdict(case, got, theirs["float32"], theirs["float64"], dtype)
                rows.append(
                    Row(str(case), case.optimizer, dtype, backend, off.weights, off.history, drift.weights, fine)
                )
                if not fine:
                    print(f"{case} {dtype} {backend}: {off} {why}", flush=True)
    print(results.table(rows))
    if options.record:
        results.write(rows)
    return 0 if all(row.fine for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
