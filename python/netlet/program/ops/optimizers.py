"""Optimizers: one pass over the whole arena."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from netlet.program.case import HOSTILE_SIZES, Case
from netlet.program.spec import Array, Attr, Attrs, OptimizerSpec

__all__ = ["Sgd"]


class Sgd(OptimizerSpec):
    """Gradient descent, with momentum and Nesterov's variant of it if asked for."""

    name = "sgd"
    signature = "w[P] g[P] v[P]? -> w[P] v[P]?"
    formula = "v <- momentum v - lr g;  w <- w + v, or with nesterov w <- w + momentum v - lr g"
    source = "keras.optimizers.SGD"

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (Attr("momentum", "float", 0.0, low=0.0, high=1.0), Attr("nesterov", "bool", False))

    def slots(self, attrs: Attrs) -> int:
        return 1 if attrs["momentum"] != 0 else 0

    def flops(self, attrs: Attrs) -> int:
        if attrs["momentum"] == 0:
            return 2
        return 6 if attrs["nesterov"] else 4

    def step(self, attrs: Attrs, learning_rate: float, w: Array, g: Array, slots: Array, scratch: Array) -> None:
        momentum = attrs["momentum"]
        np.multiply(g, learning_rate, out=scratch)
        if momentum == 0:
            np.subtract(w, scratch, out=w)
            return
        v = slots[0]
        v *= momentum
        v -= scratch
        if not attrs["nesterov"]:
            w += v
            return
        w -= scratch
        np.multiply(v, momentum, out=scratch)
        w += scratch

    def cases(self) -> Iterator[Case]:
        for momentum, nesterov in ((0.0, False), (0.9, False), (0.9, True)):
            for size in (*HOSTILE_SIZES, 61, 1025):
                yield Case(self, 1, ((size,),), attrs={"momentum": momentum, "nesterov": nesterov})

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        size = case.shapes[0]
        return {
            "w": rng.standard_normal(size),
            "g": rng.standard_normal(size),
            "slots": rng.standard_normal((self.slots(case.attrs), *size)),
            "learning_rate": np.array([0.1]),
        }

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        # the rate and the momentum are rounded to the type, then two products and two sums, each rounded or fused
        step = 0.1 * np.abs(arrays["g"])
        momentum = case.attrs["momentum"]
        kept = momentum * np.abs(arrays["slots"])
        v_error = 2 * eps * (kept + step)
        moved = (kept[0] if len(kept) else 0) + step
        return {"w": 4 * eps * moved + eps * (np.abs(arrays["w"]) + step), "slots": v_error}
