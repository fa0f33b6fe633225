"""Every conformance case there is."""

from __future__ import annotations

import dataclasses

from netlet.config import DTYPES
from netlet.program import all_specs
from netlet.program.case import Case

__all__ = ["all_cases"]


def all_cases(op: str | None = None, dtype: str | None = None) -> list[Case]:
    """Returns every case of every op, loss, metric and optimizer, in each element type.

    Args:
        op: only those of this name.
        dtype: only those of this element type.
    """
    return [
        dataclasses.replace(case, dtype=kind)
        for spec in all_specs()
        if op is None or spec.name == op
        for case in spec.cases()
        for kind in DTYPES
        if dtype is None or kind == dtype
    ]
