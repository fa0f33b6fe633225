"""``History``: what ``fit`` returns, the metrics of every epoch and a plot of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from netlet.callbacks.callback import Callback
from netlet.errors import unknown_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_VALIDATION = "val_"  # the prefix of validation metrics in logs


class History(Callback):
    """The record of one call of ``fit``; a callback that every ``fit`` has.

    Attributes:
        history: metric name to its values, one float per epoch in which it was measured, under sorted keys;
            validation metrics are named ``val_<metric>``. A metric that is an array (one F1 score per class) is kept
            as an array.
        epoch: the zero-based numbers of the epochs that were completed.
        params: ``{"verbose": ..., "epochs": ..., "steps": ...}`` of that call.
        model: the model that was trained.

    Example::

        history = model.fit(x, y, epochs=20, validation_split=0.1)
        history.history["val_loss"][-1]
        history.plot("loss").figure.savefig("loss.png")
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []
        self._measured: dict[str, list[int]] = {}  # per metric, the epochs its values belong to

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Forgets an earlier run."""
        self.history.clear()
        self._measured.clear()
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Appends the metrics of ``epoch`` (zero-based)."""
        self.epoch.append(epoch)
        logs = logs or {}
        late = bool(self.history) and not self.history.keys() >= logs.keys()
        for name in sorted(logs):
            value = logs[name]
            if type(value) is not float:
                value = float(value) if np.ndim(value) == 0 else np.array(value)
            self.history.setdefault(name, []).append(value)
            self._measured.setdefault(name, []).append(epoch)
        if late:  # as the first validation may be: keep the keys sorted
            in_order = sorted(self.history.items())
            self.history.clear()
            self.history.update(in_order)

    def _add(self, first: int, columns: dict[str, list[Any]]) -> None:
        """Append epochs ``first, first + 1, ...``: as many as each column has values."""
        for name, values in columns.items():
            epochs = range(first, first + len(values))
            self.history.setdefault(name, []).extend(values)
            self._measured.setdefault(name, []).extend(epochs)
        self.epoch.extend(epochs)

    def plot(self, metrics: str | Sequence[str] | None = None, ax: Axes | Sequence[Axes] | None = None) -> Any:
        """Draws metrics against epochs with matplotlib, the validation metric in the same picture.

        Args:
            metrics: the name of a metric, several names, or None for all of them (the loss first). Every metric gets
                Axes of its own.
            ax: the matplotlib Axes to draw into: one for one metric, as many as there are metrics for several. By
                default they are made in a new figure.

        Returns:
            As ``matplotlib.pyplot.subplots`` does: one ``matplotlib.axes.Axes`` for one metric, a one-dimensional
            NumPy array of them for several.

        Raises:
            ValueError: if there is nothing to plot, a metric is not known, or ``ax`` holds another number of Axes.
            ImportError: if matplotlib is missing (``pip install 'netlet[plot]'``).
        """
        from netlet.plotting import new_axes, plot_learning_curve

        names = self._plotted(metrics)
        if ax is None:
            axes = new_axes(len(names))
        else:
            axes = list(np.ravel(np.asarray(ax, dtype=object)))
            if len(axes) != len(names):
                wanted = f"{len(names)} Axes, one per metric ({', '.join(names)})"
                raise ValueError(f"ax: expected {wanted}, got {len(axes)}")
        for name, metric_ax in zip(names, axes, strict=True):
            validation = _VALIDATION + name
            curves = {"training": self._curve(name)}
            if validation in self.history:
                curves["validation"] = self._curve(validation)
            plot_learning_curve(name, curves, metric_ax)
        if len(axes) == 1:
            return axes[0]
        result = np.empty(len(axes), dtype=object)
        result[:] = axes
        return result

    def __repr__(self) -> str:
        last = ", ".join(f"{name}={np.mean(values[-1]):.4g}" for name, values in self.history.items())
        return f"<History of {len(self.epoch)} epochs{': ' + last if last else ''}>"

    def _plotted(self, metrics: str | Sequence[str] | None) -> list[str]:
        if not self.history:
            raise ValueError("history: nothing to plot, no epoch was completed")
        if metrics is None:
            names = [name for name in self.history if not self._accompanies(name)]
            return sorted(names, key=lambda name: (name != "loss", name))
        names = [metrics] if isinstance(metrics, str) else list(metrics)
        if not names:
            raise ValueError("metrics: expected at least one name, got an empty list")
        for name in names:
            if name not in self.history:
                raise unknown_name("metric", name, self.history)
        return names

    def _accompanies(self, name: str) -> bool:
        """Whether ``name`` is drawn with its training metric: ``val_loss`` where there is a ``loss``."""
        return name.startswith(_VALIDATION) and name.removeprefix(_VALIDATION) in self.history

    def _curve(self, name: str) -> tuple[list[int], list[float]]:
        """Epochs, counted from 1 as the progress bar does, and values."""
        return [epoch + 1 for epoch in self._measured[name]], [float(np.mean(v)) for v in self.history[name]]
