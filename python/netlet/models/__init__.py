"""Models: `Sequential`, `Model` for graphs of layers, and `load_model` for what they saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from netlet.models.history import History
from netlet.models.sequential import Sequential

if TYPE_CHECKING:
    from netlet.models.functional import Model
    from netlet.models.saving import load_model, save_model

__all__ = ["History", "Model", "Sequential", "load_model", "save_model"]


def __getattr__(name: str) -> Any:
    # Imported when they are first asked for: it keeps `import netlet` short.
    if name in ("load_model", "save_model"):
        from netlet.models import saving

        return getattr(saving, name)
    if name == "Model":
        from netlet.models.functional import Model

        return Model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
