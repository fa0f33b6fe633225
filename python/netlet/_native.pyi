"""The compiled extension; ``python -m mypy.stubtest netlet._native`` compares this file with it."""

from collections.abc import Sequence
from typing import Any, type_check_only

import numpy as np
from numpy.typing import NDArray

__version__: str

@type_check_only
class _Executor:
    """Executes one Program; see :class:`netlet.backends.Executor` for what each method does."""

    def __init__(
        self,
        program: bytes,
        params: NDArray[Any],
        state: NDArray[Any],
        slots: NDArray[Any],
        isa: str | None = None,
        num_threads: int | None = None,
        host: object | None = None,
    ) -> None: ...
    def predict(self, xs: Sequence[NDArray[Any]], outs: Sequence[NDArray[Any]], batch_size: int) -> None: ...
    def predictor(self) -> object: ...
    def frozen(self) -> NDArray[Any]: ...
    def train(
        self,
        xs: Sequence[NDArray[Any]],
        y: NDArray[Any],
        sample_weight: NDArray[Any] | None,
        *,
        batch_size: int,
        shuffle: tuple[int, int] | None,
        first: int,
        last: int,
        learning_rate: float | NDArray[np.float64],
        iteration: int = 0,
        sums: NDArray[np.float64],
    ) -> None: ...
    def train_epochs(
        self,
        xs: Sequence[NDArray[Any]],
        y: NDArray[Any],
        sample_weight: NDArray[Any] | None,
        *,
        batch_size: int,
        shuffle: tuple[int, int] | None,
        epochs: int,
        learning_rate: float | NDArray[np.float64],
        iteration: int = 0,
        sums: NDArray[np.float64],
    ) -> None: ...
    def evaluate(
        self,
        xs: Sequence[NDArray[Any]],
        y: NDArray[Any],
        sample_weight: NDArray[Any] | None,
        *,
        batch_size: int,
        sums: NDArray[np.float64],
    ) -> None: ...
    def gradients(
        self, xs: Sequence[NDArray[Any]], y: NDArray[Any], sample_weight: NDArray[Any] | None
    ) -> tuple[float, NDArray[Any], list[NDArray[Any]]]: ...
    def vjp(
        self,
        xs: Sequence[NDArray[Any]],
        dys: Sequence[NDArray[Any]],
        training: bool = False,
        iteration: int = 0,
        outs: tuple[Sequence[NDArray[Any]], Sequence[NDArray[Any]], NDArray[Any]] | None = None,
    ) -> tuple[list[NDArray[Any]], list[NDArray[Any]], NDArray[Any]]: ...
    def apply(self, gradient: NDArray[Any], learning_rate: float, iteration: int = 0) -> None: ...
    def profile(
        self,
        xs: Sequence[NDArray[Any]],
        y: NDArray[Any] | None,
        sample_weight: NDArray[Any] | None,
        *,
        batch_size: int,
        learning_rate: float,
        seconds: float,
    ) -> dict[str, Any]: ...

class ExecutorF32(_Executor): ...
class ExecutorF64(_Executor): ...

def check_program(program: bytes) -> None: ...
def isa_detected() -> str: ...
def isas_available() -> list[str]: ...
def isa_in_use() -> str: ...
def default_threads() -> int: ...
def openmp_description() -> str: ...
def fma_peak(isa: str, dtype: str, num_threads: int, seconds: float = 0.03) -> float: ...
def round_trip() -> float | None: ...
def philox_words(seed: int, purpose: int, step: int, first: int, count: int) -> NDArray[np.uint32]: ...
def permutation(seed: int, epoch: int, n: int) -> NDArray[np.int64]: ...
