"""The op × backend table of the README is the current one."""

from __future__ import annotations

from pathlib import Path

import pytest

from netlet.backends.numba_kernels.coverage import has_kernel
from netlet.program import all_specs
from netlet.testing import table

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_is_current() -> None:
    text = README.read_text(encoding="utf-8")
    assert table.replace_table(text) == text, "run: python -m netlet.testing.table --write README.md"


def test_the_table_has_every_op_and_backend() -> None:
    lines = table.table().splitlines()
    assert [cell.strip() for cell in lines[0].strip("|").split("|")] == [
        "op",
        "kind",
        "computes",
        "C++",
        "Numba",
        "NumPy",
    ]
    rows = [line for line in lines if line.startswith("| `")]
    assert len(rows) == len(all_specs())
    for spec, row in zip(all_specs(), rows, strict=True):
        assert row.startswith(f"| `{spec.name}` | {spec.family} |")
        marks = [cell.strip() for cell in row.strip("| ").split(" | ")[-3:]]
        assert marks == ["✓" if known else "○" for known in (spec.native, has_kernel(spec), True)]


def test_writing_replaces_what_is_between_the_markers(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text(f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n", encoding="utf-8")
    assert table.main(["--write", str(path)]) == 0
    text = path.read_text(encoding="utf-8")
    assert text == f"before\n{table.BEGIN}\n{table.table()}\n{table.END}\nafter\n"


def test_printing(capsys: pytest.CaptureFixture[str]) -> None:
    assert table.main([]) == 0
    assert capsys.readouterr().out == table.table() + "\n"


@pytest.mark.parametrize(
    "text", ["", table.BEGIN, f"{table.END}{table.BEGIN}", f"{table.BEGIN}{table.BEGIN}{table.END}"]
)
def test_missing_markers_are_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="op-table:begin"):
        table.replace_table(text)
