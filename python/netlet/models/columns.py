"""The columns of data frames: a model that was fitted on a frame takes later frames by the names of their columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Names in order, by input where there are several; None for what is no frame with names.
Columns = Any


def is_frame(x: Any) -> bool:
    """Return whether ``x`` is a pandas frame or one of its kind."""
    return hasattr(x, "iloc") and hasattr(x, "columns")


def columns_of(x: Any) -> Columns:
    """Return the names of the columns of a frame, a list of them; of a dict or list of frames in the same form.

    None where nothing has names: no frame, or columns that are numbered or called the same.
    """
    if is_frame(x):
        names = list(x.columns)
        return names if all(isinstance(name, str) for name in names) and len(set(names)) == len(names) else None
    if isinstance(x, Mapping):
        found = {str(key): columns_of(value) for key, value in x.items() if is_frame(value)}
        return found if any(names is not None for names in found.values()) else None
    if isinstance(x, (list, tuple)) and any(is_frame(value) for value in x):
        return {str(i): columns_of(value) for i, value in enumerate(x)}
    return None


def in_order(x: Any, columns: Columns, what: str = "x") -> Any:
    """Return ``x`` with the columns of its frames in the order of ``columns``, which `columns_of` returned.

    What is no frame, and a frame without names, is returned as it is.

    Raises: ValueError naming the columns that are missing, or that there should not be.
    """
    if columns is None:
        return x
    if isinstance(columns, dict):
        if isinstance(x, Mapping):
            return {key: in_order(value, columns.get(str(key)), f"{what}[{key!r}]") for key, value in x.items()}
        if isinstance(x, (list, tuple)) and any(is_frame(value) for value in x):
            return [in_order(value, columns.get(str(i)), f"{what}[{i}]") for i, value in enumerate(x)]
        return x
    if not is_frame(x):
        return x
    names = columns_of(x)
    if names is None or names == columns:
        return x
    if missing := [name for name in columns if name not in names]:
        raise ValueError(f"{what}: the frame lacks columns that the model was fitted with: {_listed(missing)}")
    if extra := [name for name in names if name not in columns]:
        raise ValueError(f"{what}: the frame has columns that the model was not fitted with: {_listed(extra)}")
    return x[columns]


def check_columns(value: Any) -> Columns:
    """Return what a file holds as columns; ValueError if it is none of `columns_of`'s results."""
    if value is None or _is_names(value):
        return value
    if isinstance(value, dict) and all(names is None or _is_names(names) for names in value.values()):
        return value
    raise ValueError(f"columns: expected names of columns, got {value!r}")


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return ", ".join(map(repr, names[:10])) + more
