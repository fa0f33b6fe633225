"""The op × backend table of the README: ``python -m netlet.testing.table [--write README.md]``.

It is made from what the specs and Numba's coverage say has kernels, which is also what the backends go by.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from netlet.backends.numba_kernels.coverage import has_kernel
from netlet.backends.registry import BACKENDS
from netlet.program import ACTIVATIONS, EPILOGUES, all_specs
from netlet.program.spec import Spec

__all__ = ["BEGIN", "END", "main", "replace_table", "table"]

BEGIN = "<!-- op-table:begin -->"
END = "<!-- op-table:end -->"

_TITLES = {"native": "C++", "numba": "Numba", "numpy": "NumPy"}


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _has_kernels(backend: str, spec: Spec) -> bool:
    return {"native": spec.native, "numba": has_kernel(spec)}.get(backend, True)


def table() -> str:
    """Returns the table in Markdown, with the list of activations below it."""
    backends = list(BACKENDS.values())
    lines = [
        _row("op", "kind", "computes", *(_TITLES.get(b.name, b.name) for b in backends)),
        "|---|---|---|" + ":-:|" * len(backends),
    ]
    for spec in all_specs():
        marks = ["✓" if _has_kernels(b.name, spec) else "○" for b in backends]
        lines.append(_row(f"`{spec.name}`", spec.family, f"`{spec.formula}`", *marks))
    fused = ", ".join(f"`{name}`" for name in EPILOGUES)
    alone = ", ".join(f"`{name}`" for name in ACTIVATIONS if name not in EPILOGUES)
    lines += ["", "✓: kernels of its own. ○: calls the NumPy reference in the middle of the step."]
    lines += ["", f"Activations, also fused into `dense`: {fused}; on their own: {alone}. All in float32 and float64."]
    return "\n".join(lines)


def replace_table(text: str) -> str:
    """Returns ``text`` with what stands between the markers replaced by the current table.

    Raises:
        ValueError: if the markers are not there exactly once, in order.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ValueError(f"expected {BEGIN} and, after it, {END}, each once")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{table()}\n{END}{tail}"


def main(arguments: list[str] | None = None) -> int:
    """Prints the table, or writes it into a file between the markers."""
    parser = argparse.ArgumentParser(prog="python -m netlet.testing.table", description="The op × backend table.")
    parser.add_argument("--write", metavar="FILE", type=Path, help="replace the table in FILE")
    options = parser.parse_args(arguments)
    if options.write is None:
        print(table())
    else:
        options.write.write_text(replace_table(options.write.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
