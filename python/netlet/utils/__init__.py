"""Helpers under the names that Keras gives them, such as ``to_categorical``, ``set_random_seed`` and ``plot_model``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from netlet.utils.naming import reset_names as clear_session
from netlet.utils.numerical import normalize, to_categorical
from netlet.utils.random_seed import set_random_seed

if TYPE_CHECKING:
    from netlet.utils.model_dot import model_to_dot
    from netlet.utils.model_plot import plot_model

__all__ = ["clear_session", "model_to_dot", "normalize", "plot_model", "set_random_seed", "to_categorical"]


def __getattr__(name: str) -> Any:
    # Imported when they are first asked for: it keeps `import netlet` short.
    if name == "model_to_dot":
        from netlet.utils.model_dot import model_to_dot

        return model_to_dot
    if name == "plot_model":
        from netlet.utils.model_plot import plot_model

        return plot_model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
