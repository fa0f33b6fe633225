"""The reference is the current one, and has every public name with what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

import netlet
from netlet.program import all_specs
from netlet.testing import reference

PACKAGE = Path(netlet.__file__).parent
FILE = Path(__file__).parents[2] / "REFERENCE.md"
# What is none of a user's models: the engine below, and tools beside it.
OTHERS = {"backends", "examples", "program", "testing"}


def test_the_file_is_current() -> None:
    text = FILE.read_text(encoding="utf-8")
    assert text == reference.reference(), "run: python -m netlet.testing.reference --write REFERENCE.md"


def test_every_public_package_is_in_it() -> None:
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert packages - OTHERS == set(reference.PACKAGES) - {"optimizers.schedules"}


@pytest.mark.parametrize("package", reference.PACKAGES)
def test_every_public_name_says_what_it_is(package: str) -> None:
    found = dict(reference.public(package))
    assert found
    assert [name for name, value in found.items() if not reference.summary(value)] == []


def test_every_loss_optimizer_and_metric_of_the_program_has_a_public_name() -> None:
    text = reference.reference()
    missing = [s.name for s in all_specs() if s.family != "op" and f"| `{s.name}` (" not in text]
    assert missing == []


def test_writing_and_printing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reference.main(["--write", str(tmp_path / "r.md")]) == 0
    assert reference.main([]) == 0
    assert capsys.readouterr().out == (tmp_path / "r.md").read_text(encoding="utf-8") + "\n"
