"""The progress bar of ``fit``, ``evaluate`` and ``predict``, in the form that Keras users read.

On a terminal one line is redrawn in place, at most twenty times a second. Anywhere else (a file, a pipe, a test) the
same text appears once per epoch, when the epoch is over, and without a single control character.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

import numpy as np

from netlet.models.terminal import (
    BOLD,
    GREEN,
    WHITE,
    Segments,
    can_encode,
    coloured,
    columns,
    cut,
    length,
    render,
    rewritable,
)

BAR_WIDTH = 20  # characters
REDRAW_SECONDS = 0.05


def format_value(value: Any) -> str:
    """A metric as Keras prints it: four decimals, in scientific notation where ``|value| <= 1e-3``.

    An array (one F1 score per class, say) is shown by its mean. NaN and infinity are printed as such.
    """
    number = float(value) if np.ndim(value) == 0 else float(np.mean(value))
    return f"{number:.4f}" if abs(number) > 1e-3 else f"{number:.4e}"


def format_step_time(seconds: float) -> str:
    """The time of one step, rounded: ``740us/step``, ``4ms/step``, ``2s/step``."""
    if seconds <= 0 or seconds >= 0.9995:
        return f"{seconds:.0f}s/step"
    if seconds >= 0.9995e-3:
        return f"{seconds * 1e3:.0f}ms/step"
    return f"{seconds * 1e6:.0f}us/step"


def format_remaining(seconds: float) -> str:
    """The time left: ``12s``, ``1:05``, ``2:00:07``."""
    whole = int(seconds)
    if whole > 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    if whole > 60:
        return f"{whole // 60}:{whole % 60:02d}"
    return f"{whole}s"


class ProgressBar:
    """One epoch's progress, printed as Keras prints it.

    With ``verbose=1``: ``Epoch 1/2`` (only where there are several epochs) and
    ``3/3 ━━━━━━━━━━━━━━━━━━━━ 0s 4ms/step - accuracy: 0.9219 - loss: 0.3025``; with ``verbose=2`` the second line is
    ``3/3 - 0s - 4ms/step - accuracy: 0.9219 - loss: 0.3025`` and appears when the epoch ends; with ``verbose=0``
    nothing is printed. While it runs the bar shows the time that is left, at the end the time that it took.

    ``update`` costs two comparisons and a clock reading unless a redraw is due. Use the bar as a context manager, or
    call ``close`` when training stops early, and whatever is printed next starts on a line of its own.

    Args:
        steps: the number of steps of this epoch, or None where it is unknown (a generator).
        epoch: the zero-based number of this epoch.
        epochs: how many epochs there are; ``evaluate`` and ``predict`` say 1.
        verbose: 0 (silent), 1 (bar), 2 (one line) or "auto" (bar).
        stream: where to print; ``sys.stdout`` as it is now if None.
        clock: seconds, monotonic; tests hand in their own.

    The environment variables ``NO_COLOR`` and ``TERM=dumb`` are respected.

    Raises: ValueError if ``verbose`` is none of these.
    """

    def __init__(
        self,
        steps: int | None,
        epoch: int = 0,
        epochs: int = 1,
        verbose: int | str = 1,
        stream: TextIO | None = None,
        *,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        if verbose not in (0, 1, 2, "auto"):
            raise ValueError(f'verbose: expected 0, 1, 2 or "auto", got {verbose!r}')
        self.steps = steps
        self._stream = sys.stdout if stream is None else stream
        self._verbose = 0 if self._stream is None else 1 if verbose == "auto" else int(verbose)
        self._clock = clock
        self._live = self._verbose == 1 and rewritable(self._stream)
        self._colour = self._live and coloured(self._stream)
        self._done_mark, self._rest_mark = _bar_marks(self._stream, self._colour)
        self._seen = 0
        self._first: tuple[int, float] | None = None  # step and time of the first update
        self._last_step_time: float | None = None  # when the last step ended; validation may follow it
        self._next_draw = float("-inf")
        self._drawn_width = 0  # characters of the unfinished line on the screen
        self._finished = False
        if self._verbose and epochs > 1:
            self._write(f"Epoch {epoch + 1}/{epochs}\n")
        self._start = clock()

    def update(self, step: int, logs: Mapping[str, Any] | None = None) -> None:
        """Notes that ``step`` steps are done and redraws the line if that is due.

        Args:
            step: how many steps of the epoch are done.
            logs: metric values so far, printed in this order.
        """
        if not self._verbose or self._finished:
            return
        self._seen = step
        now = self._clock()
        if step == self.steps:
            self._last_step_time = now
        if not self._live:
            return
        if self._first is None:
            self._first = (step, now)
        if now < self._next_draw:
            return
        self._next_draw = now + REDRAW_SECONDS
        self._redraw(self._running_line(step, now, logs or {}))

    def finish(self, logs: Mapping[str, Any] | None = None) -> None:
        """Prints the epoch's last line; call it once, after validation.

        The time shown is that of the whole epoch; the time per step leaves out what came after the last ``update``
        of a full epoch, which is validation. Where ``steps`` is None the steps seen so far are all there were.
        """
        if not self._verbose or self._finished:
            return
        self._finished = True
        now = self._clock()
        steps = self._seen if self.steps is None else self.steps
        end = now if self._last_step_time is None else self._last_step_time
        step_time = format_step_time((end - self._start) / steps if steps else 0.0)
        elapsed = f"{now - self._start:.0f}s"
        metrics = _format_logs(logs or {})
        if self._verbose == 2:
            self._write(f"{steps}/{steps} - {elapsed} - {step_time}{metrics}\n")
        else:
            line = self._counted_bar(steps, steps)
            line += [("", " "), (BOLD, elapsed), ("", f" {step_time}{metrics}")]
            self._redraw(line, final=True)
        self._flush()

    def close(self) -> None:
        """Ends a line that is still being drawn, so that the next output starts on a new one."""
        self._finished = True
        if self._drawn_width:
            self._drawn_width = 0
            self._write("\n")
            self._flush()

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _running_line(self, step: int, now: float, logs: Mapping[str, Any]) -> Segments:
        # The first call may hold one-time work (a compiler run, cold caches), which says nothing about what is left.
        first_step, first_time = self._first or (step, now)
        if step > first_step:
            step_seconds = (now - first_time) / (step - first_step)
        else:
            step_seconds = (now - self._start) / step if step else 0.0
        if self.steps is None:
            line: Segments = [("", f"{step:7d}/Unknown")]
            clock = f"{now - self._start:.0f}s"
        else:
            line = self._counted_bar(step, self.steps)
            clock = format_remaining(step_seconds * max(self.steps - step, 0))
        return [*line, ("", " "), (BOLD, clock), ("", f" {format_step_time(step_seconds)}{_format_logs(logs)}")]

    def _counted_bar(self, step: int, steps: int) -> Segments:
        done = BAR_WIDTH if steps <= 0 else min(BAR_WIDTH, BAR_WIDTH * step // steps)
        return [
            (BOLD, f"{step:{len(str(steps))}d}/{steps}"),
            ("", " "),
            (GREEN, self._done_mark * done),
            (WHITE, self._rest_mark * (BAR_WIDTH - done)),
        ]

    def _redraw(self, line: Segments, *, final: bool = False) -> None:
        if not final:  # a line that wraps could not be redrawn in place
            line = cut(line, columns(self._stream) - 1)
        width = length(line)
        start = "\r" if self._live else ""
        padding = " " * max(0, self._drawn_width - width)
        self._write(start + render(line, colour=self._colour) + padding + ("\n" if final else ""))
        self._drawn_width = 0 if final else width
        if not final:
            self._flush()

    def _write(self, text: str) -> None:
        self._stream.write(text)

    def _flush(self) -> None:
        flush = getattr(self._stream, "flush", None)
        if flush is not None:
            flush()


def _format_logs(logs: Mapping[str, Any]) -> str:
    return "".join(f" - {name}: {format_value(value)}" for name, value in logs.items())


def _bar_marks(stream: Any, colour: bool) -> tuple[str, str]:
    """The characters for what is done and what is not, as far as the stream's encoding has them."""
    done, rest = "━", "━" if colour else "─"  # without colour the shape must tell
    return (done, rest) if can_encode(stream, done + rest) else ("=", ".")
