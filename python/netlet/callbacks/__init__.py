"""Callbacks: hooks into training. `History` is what ``fit`` returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from netlet.callbacks.callback import Callback
from netlet.callbacks.callback_list import CallbackList

if TYPE_CHECKING:
    from netlet.models.history import History

__all__ = ["Callback", "CallbackList", "History"]


def __getattr__(name: str) -> Any:
    # History lies with the models, which import this package: looked up when asked for.
    if name == "History":
        from netlet.models.history import History

        return History
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
