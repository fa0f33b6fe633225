"""Models: `Sequential`, and `load_model` for what it saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from netlet.models.history import History
from netlet.models.sequential import Sequential

if TYPE_CHECKING:
    from netlet.models.saving import load_model, save_model

__all__ = ["History", "Sequential", "load_model", "save_model"]


def __getattr__(name: str) -> Any:
    # Saving and loading are imported when they are first asked for: it keeps `import netlet` short.
    if name in ("load_model", "save_model"):
        from netlet.models import saving

        return getattr(saving, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
