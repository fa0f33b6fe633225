"""The recorded outcomes: a line a case, and the largest differences by optimizer, element type and backend."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
RECORDED, RESULTS = HERE / "RECORDED.tsv", HERE / "RESULTS.md"
DTYPES = ("float64", "float32")


class Row(NamedTuple):
    """What became of a case in an element type on a backend.

    ``drift`` is how far Keras' own float32 weights are from its float64 ones.
    """

    case: str
    optimizer: str
    dtype: str
    backend: str
    weights: float
    history: float
    drift: float
    fine: bool


def table(rows: list[Row]) -> str:
    """Return the largest differences by optimizer, as a table of Markdown."""
    backends = list(dict.fromkeys(row.backend for row in rows))
    columns = [(dtype, backend) for dtype in DTYPES for backend in backends]
    lines = [
        f"| optimizer | cases | {' | '.join(f'{dtype} {backend}' for dtype, backend in columns)} | beyond 1e-5 |",
        f"|---|---|{'---|' * len(columns)}---|",
    ]
    for optimizer in [*dict.fromkeys(row.optimizer for row in rows), "**all**"]:
        mine = [row for row in rows if optimizer in (row.optimizer, "**all**")]
        cells = []
        for dtype, backend in columns:
            here = [row for row in mine if (row.dtype, row.backend) == (dtype, backend)]
            cells.append(f"{max(row.weights for row in here):.0e}, {max(row.history for row in here):.0e}")
        beyond = {row.case for row in mine if row.dtype == "float32" and max(row.weights, row.history) > 1e-5}
        count = len({row.case for row in mine})
        lines.append(f"| {optimizer} | {count} | {' | '.join(cells)} | {len(beyond)} |")
    return "\n".join(lines)


def drifting(rows: list[Row]) -> str:
    """Return the cases that float32 carries apart by more than 1e-5, as a table of Markdown."""
    beyond = [row for row in rows if row.dtype == "float32" and max(row.weights, row.history) > 1e-5]
    lines = ["| case | backend | weights | History | Keras' float32 from its float64 |", "|---|---|---|---|---|"]
    lines += [f"| `{r.case}` | {r.backend} | {r.weights:.1e} | {r.history:.1e} | {r.drift:.1e} |" for r in beyond]
    return "\n".join(lines)


def write(rows: list[Row]) -> None:
    """Write both files."""
    header = "case\tdtype\tbackend\tweights\thistory\tas Keras\n"
    body = "".join(
        f"{row.case}\t{row.dtype}\t{row.backend}\t{row.weights:.1e}\t{row.history:.1e}\t{'yes' if row.fine else 'NO'}\n"
        for row in rows
    )
    RECORDED.write_text(header + body, encoding="utf-8")
    not_fine = sum(not row.fine for row in rows)
    RESULTS.write_text(
        f"""# Keras as an oracle: outcomes

Made by `python tests/conformance/keras/oracle --record`; README.md beside `oracle/` says how to run it. Each cell has
the largest difference of a weight and of the History after 100 steps, relative to the largest of its array; every case
is a line of `RECORDED.tsv`. Of {len(rows)} trainings {not_fine} are not Keras'. The last column counts the cases that
float32 carries apart by more.

{table(rows)}

## Where float32 itself drifts

In float64 these agree as the others do. In float32 two orders of summation end further apart than 1e-5; the last column
is how far Keras' own float32 weights are from its float64 ones.

{drifting(rows)}
""",
        encoding="utf-8",
    )
