"""The update: what an optimizer does to the weights once the gradient is there, around the rule of its spec.

In order, as Keras does: the gradient is gathered with those of steps before it, clipped, weights decay, the rule moves
them, and their moving average follows. This is the reference; the C++ engine's is ``csrc/program/update.cpp``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from netlet.program.ops import OPTIMIZERS
from netlet.program.ops.optimizer_rule import squares
from netlet.program.spec import Array, Attrs, Region

if TYPE_CHECKING:
    from netlet.program.program import Optimizer, Param

__all__ = ["Rule", "Update", "clip_factor"]

#: The form of :meth:`netlet.program.spec.OptimizerSpec.step`.
Rule = Callable[[Attrs, float, int, Array, Array, Array, Sequence[Region]], None]


def clip_factor(norm: float, most: float) -> float:
    """What a gradient of this norm is multiplied with, so that its norm is ``most`` at most; NaN for a NaN."""
    if norm > most:
        return most / norm
    return 1.0 if norm == norm else norm


class Update:
    """An optimizer over the arrays of one model.

    Args:
        optimizer: the Program's.
        params: of the Program, or others that lie in the arrays.
        w: the weights ``[P]``.
        slots: ``[n, P]``: the rule's own, then the weights' average, then the accumulated gradient.
        rule: what to call in place of the spec's own step.
    """

    def __init__(
        self, optimizer: Optimizer, params: Sequence[Param], w: Array, slots: Array, rule: Rule | None = None
    ) -> None:
        spec = OPTIMIZERS[optimizer.op]
        attrs = optimizer.attrs
        self.attrs = attrs
        self._w, self._slots = w, slots
        self._rule = spec.step if rule is None else rule
        self.regions = [Region(i, p.shape, p.offset, p.offset + p.size) for i, p in enumerate(params)]
        frozen = set(attrs.get("frozen", ()))
        self._moved = [r for r in self.regions if r.place not in frozen]
        self._stretches = _stretches(self._moved)
        self._decays = self._decay_stretches(spec.decays)
        self._own = spec.own_slots(attrs)
        self._average = slots[self._own] if "ema_momentum" in attrs else None
        self._steps = int(attrs.get("gradient_accumulation_steps", 1))
        self._gathered = slots[-1] if self._steps > 1 else None
        self._clips = any(name in attrs for name in ("clipnorm", "clipvalue", "global_clipnorm"))
        self.plain = not (
            frozen or self._decays or self._clips or self._average is not None or self._gathered is not None
        )

    def _decay_stretches(self, decays: Callable[[Attrs, Region], float]) -> list[tuple[slice, float]]:
        """Where weights decay, and by which share of the learning rate."""
        exempt = set(self.attrs.get("no_decay", ()))
        shares = [(r, decays(self.attrs, r)) for r in self._moved if r.place not in exempt]
        return [
            (slice(stretch[0].start, stretch[-1].stop), share)
            for share in dict.fromkeys(share for _, share in shares if share)
            for stretch in _stretches([r for r, own in shares if own == share])
        ]

    def __call__(self, g: Array, learning_rate: float, iteration: int) -> None:
        """Makes one step with the gradient ``g`` ``[P]``, which is undefined afterwards.

        Args:
            iteration: how many steps were made before.
        """
        if self.plain:
            self._rule(self.attrs, learning_rate, iteration + 1, self._w, g, self._slots, self._moved)
            return
        before = iteration // self._steps
        if self._gathered is None:
            self._move(g, learning_rate, before + 1)
        elif (iteration + 1) % self._steps:
            for stretch in self._stretches:
                part = slice(stretch[0].start, stretch[-1].stop)
                self._gathered[part] += g[part]
        else:
            for stretch in self._stretches:
                part = slice(stretch[0].start, stretch[-1].stop)
                g[part] += self._gathered[part]
                g[part] /= self._steps
                self._gathered[part] = 0
            self._move(g, learning_rate, before + 1)
        if self._average is not None:
            self._follow(self._average, before)

    def _move(self, g: Array, learning_rate: float, t: int) -> None:
        if self._clips:
            self.clip(g)
        for part, share in self._decays:
            self._w[part] -= self._w[part] * (share * learning_rate)
        for stretch in self._stretches:
            start, stop = stretch[0].start, stretch[-1].stop
            within = [r._replace(start=r.start - start, stop=r.stop - start) for r in stretch]
            slots = self._slots[: self._own, start:stop]
            self._rule(self.attrs, learning_rate, t, self._w[start:stop], g[start:stop], slots, within)

    def clip(self, g: Array) -> None:
        """Clips the gradient in place."""
        value = self.attrs.get("clipvalue")
        norm, all_norm = self.attrs.get("clipnorm"), self.attrs.get("global_clipnorm")
        if value is not None:
            np.clip(g, -value, value, out=g)
        if norm is not None:
            for r in self._moved:
                g[r.start : r.stop] *= clip_factor(math.sqrt(squares(g[r.start : r.stop])), norm)
        if all_norm is not None:
            size = math.sqrt(sum(squares(g[r.start : r.stop]) for r in self._moved))
            factor = clip_factor(size, all_norm) + (size - size)  # NaN where it is infinite
            for r in self._moved:
                g[r.start : r.stop] *= factor

    def _follow(self, average: Array, before: int) -> None:
        """The moving average of the weights, and its return to them."""
        keeps = self.attrs["ema_momentum"] if before else 0.0
        every = self.attrs.get("ema_overwrite_frequency")
        for stretch in self._stretches:
            part = slice(stretch[0].start, stretch[-1].stop)
            average[part] *= keeps
            average[part] += self._w[part] * (1.0 - keeps)
            if every is not None and (before + 1) % every == 0:
                self._w[part] = average[part]


def _stretches(regions: Sequence[Region]) -> list[list[Region]]:
    """Regions that lie one after the other, together."""
    runs: list[list[Any]] = []
    for region in regions:
        if runs and runs[-1][-1].stop == region.start:
            runs[-1].append(region)
        else:
            runs.append([region])
    return runs
