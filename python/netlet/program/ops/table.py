"""Tables of specs, each imported when it is first asked for: it keeps `import netlet` short."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from netlet.program.spec import Spec

__all__ = ["Table"]

S = TypeVar("S", bound=Spec)


class Table(Mapping[str, S], Generic[S]):
    """Specs by name.

    Args:
        places: for each name, ``module:Class`` within ``netlet.program.ops``.
    """

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = dict(places)
        self._made: dict[str, S] = {}

    def __getitem__(self, name: str) -> S:
        spec = self._made.get(name)
        if spec is None:
            module, _, cls = self._places[name].partition(":")
            made: S = getattr(importlib.import_module(f"netlet.program.ops.{module}"), cls)()
            spec = self._made.setdefault(name, made)
        return spec

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
