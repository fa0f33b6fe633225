"""One module per peer: how that library trains and predicts a case, written as its documentation would have it.

A peer module is a :class:`Peer`. It imports its library only inside its functions, because each contestant runs in a
process of its own and the others must not pay for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from benchmarks.cases import Case, InferenceCase, ProductCase, TrainingCase
from benchmarks.data import Array, Data, Factors

Settings = Mapping[str, Any]
Predict = Callable[[Array], Array]
Multiply = Callable[[], list[Array]]  # [y], or [y, dx, dkernel]


class Training(Protocol):
    """A network ready to train: compiled, weights set, data where the library wants it."""

    def run(self, epochs: int, shuffle: bool) -> None:
        """Train for ``epochs`` epochs and return when the weights are final.

        With ``shuffle`` each epoch gathers its batches from newly shuffled rows, else from the rows in their order.
        """

    def weights(self) -> list[Array]:
        """``[kernel[I, O], bias[O], ...]`` now."""


class Peer(Protocol):
    """The functions of a peer module."""

    def available(self, settings: Settings) -> str | None:
        """None if this peer can run here, else the reason why not."""

    def unsupported(self, case: Case) -> str | None:
        """None if this peer can express the case, else the reason why not."""

    def describe(self) -> dict[str, str]:
        """``version`` of the library and ``threads`` that it now uses."""

    def prepare_training(
        self, case: TrainingCase, data: Data, weights: list[Array], settings: Settings
    ) -> Training: ...

    def prepare_inference(self, case: InferenceCase, weights: list[Array], settings: Settings) -> Predict: ...

    def prepare_product(self, case: ProductCase, factors: Factors, settings: Settings) -> Multiply:
        """What it returns may be overwritten by the next call. Only of peers that do not refuse products."""
        ...

    def prepare_bound(self, case: Case, settings: Settings) -> tuple[Callable[[], Any], float]:
        """A unit of work to be timed, and how many steps or calls of ``case`` it stands for. Only of bounds."""
        ...


def missing(*modules: str) -> str | None:
    """The reason why a peer that needs ``modules`` cannot run, or None if all of them are installed."""
    from importlib.util import find_spec

    absent = [name for name in modules if find_spec(name) is None]
    return f"not installed: {', '.join(absent)}" if absent else None


def cores() -> int:
    """Cores that this process may run on."""
    import os

    return len(os.sched_getaffinity(0))


def networks_only(case: Case) -> str | None:
    """For libraries that are not compared product by product: None for a network, else the reason."""
    return "products are compared with NumPy's BLAS and PyTorch" if case.kind == "product" else None
