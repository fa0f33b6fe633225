"""The one-row call in Cython; ``python -m mypy.stubtest netlet._predictor`` compares this file with it."""

from typing import Any, NoReturn, final

import numpy as np
from numpy.typing import NDArray

from netlet.backends.predictor import Adapter

@final
class Predictor:
    """A model frozen for serving; see ``Sequential.predictor``."""

    def __new__(cls, capsule: object, adapter: Adapter) -> Predictor: ...
    @property
    def input_shape(self) -> tuple[int, ...]: ...
    @property
    def output_shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    def __call__(self, x: Any, out: NDArray[Any] | None = None) -> NDArray[Any]: ...
    def __reduce__(self) -> NoReturn: ...
