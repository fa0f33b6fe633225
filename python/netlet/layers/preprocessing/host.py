"""Layers on strings: no Program takes these, so they run in Python before it, and come first in a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from netlet.program import Node, ProgramBuilder


class _Named(Protocol):
    name: str


class OnHost:
    """Makes a layer one that runs in Python; it has ``host(x)``, from an array to an array.

    A model runs it on its input before the Program starts, if it directly follows the Input, or another such layer.

    Raises: ValueError where the layer is anywhere else in a model.
    """

    runs_on_host = True

    def lower(self: _Named, builder: ProgramBuilder, x: Any) -> Node:
        raise ValueError(
            f"{self.name}: {type(self).__name__} takes strings and runs before the model: it must directly follow the "
            "model's only Input, and nothing else may read that Input"
        )
