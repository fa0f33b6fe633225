"""``RichProgress``: a live view of training, drawn by the package rich."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from netlet.callbacks.callback import Logs
from netlet.callbacks.monitor_callback import better_way
from netlet.callbacks.progbar_logger import ProgbarLogger
from netlet.models.progress import ProgressBar, format_value


class RichProgress(ProgbarLogger):
    """A live view in place of the progress bar: a line an epoch with bar, times, and the metrics in colours.

    A metric that is better than in the epoch before is green, bold if it is the best so far; one that is worse is red.
    It is drawn whatever ``verbose`` says, and like the usual bar it costs no time per batch: steps run below Python in
    pieces of a twentieth of a second.

    Args:
        console: the ``rich.console.Console`` to draw on; None for standard output.

    Raises: ImportError if rich is missing (``pip install 'netlet[rich]'``).

    Example::

        model.fit(x, y, epochs=20, validation_split=0.1, callbacks=[RichProgress()])
    """

    always = True

    def __init__(self, console: Any = None) -> None:
        super().__init__()
        try:
            from rich.console import Console
        except ImportError as error:
            raise ImportError("RichProgress needs the package rich: pip install 'netlet[rich]'") from error
        self.console = Console() if console is None else console
        self._history: dict[str, list[float]] = {}

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        self._history = {}

    def on_train_begin(self, logs: Logs = None) -> None:
        super().on_train_begin(logs)
        self._history = {}

    def make_bar(self, steps: int | None, epoch: int, epochs: int, verbose: int) -> ProgressBar:
        metrics = getattr(self.model, "metrics", ())
        return RichBar(self.console, self._history, lambda name: better_way(name, metrics), steps, epoch, epochs)


class RichBar(ProgressBar):
    """One epoch of a `RichProgress`.

    Args:
        console: to draw on.
        history: the metrics' values in the epochs before; ``finish`` adds to it.
        better: returns "min", "max" or "" for a metric's name.
        steps, epoch, epochs: as of `ProgressBar`.
    """

    def __init__(
        self,
        console: Any,
        history: dict[str, list[float]],
        better: Callable[[str], str],
        steps: int | None,
        epoch: int,
        epochs: int,
    ) -> None:
        super().__init__(steps, epoch, epochs, verbose=0)
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._history = history
        self._better_way = better
        width = len(str(epochs))
        title = f"[bold]Epoch {epoch + 1:{width}d}/{epochs}" if epochs > 1 else "[bold]"
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[metrics]}"),
            console=console,
            auto_refresh=False,  # no thread: update draws
        )
        self._task = self._progress.add_task(title, total=steps, metrics="")
        self._progress.start()
        self._next = float("-inf")

    def update(self, step: int, logs: Mapping[str, Any] | None = None) -> None:
        now = self._clock()
        self._seen = step
        if now < self._next and step != self.steps:
            return
        self._next = now + 0.05
        self._progress.update(self._task, completed=step, metrics=self._styled(logs or {}), refresh=True)

    def finish(self, logs: Mapping[str, Any] | None = None) -> None:
        steps = self._seen if self.steps is None else self.steps
        text = self._styled(logs or {})
        for name, value in (logs or {}).items():
            self._history.setdefault(name, []).append(_number(value))
        self._progress.update(self._task, total=steps, completed=steps, metrics=text, refresh=True)
        self.close()

    def close(self) -> None:
        self._progress.stop()

    def _styled(self, logs: Mapping[str, Any]) -> str:
        """The metrics as rich's markup."""
        parts = []
        for name, value in logs.items():
            before, number = self._history.get(name), _number(value)
            style, arrow = "cyan", ""
            if before and number != before[-1]:
                arrow = "↓" if number < before[-1] else "↑"
                way = self._better_way(name)
                if way:
                    best = number < min(before) if way == "min" else number > max(before)
                    good = (arrow == "↓") == (way == "min")
                    style = "bold green" if best else "green" if good else "red"
            parts.append(f"{name} [{style}]{format_value(value)}{arrow}[/]")
        return "  ".join(parts)


def _number(value: Any) -> float:
    return float(np.mean(value))
