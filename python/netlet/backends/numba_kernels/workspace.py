"""The memory in which a call of the kernels runs, and how many rows it carries at a time."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.backends.numba_kernels.dense import dense_scratch
from netlet.backends.numba_kernels.encode import Layout
from netlet.program import Program
from netlet.program.spec import elements

__all__ = ["Pool", "Workspace", "block_rows"]

#: Values and gradients of a block should stay in a core's second-level cache.
_CACHE_BYTES = 256 * 1024
#: Fewer rows than this make too little of each weight that is loaded, whatever the cache.
_FEWEST_ROWS = 64
_MOST_ROWS = 1024


def block_rows(width: int, itemsize: int, batch_size: int) -> int:
    """Returns how many rows to carry through the network together: a function of shapes alone.

    Args:
        width: elements per row of all values together.
    """
    fitting = _CACHE_BYTES // (2 * width * itemsize) // 16 * 16
    return min(batch_size, max(_FEWEST_ROWS, min(fitting, _MOST_ROWS)))


class Workspace:
    """Buffers for blocks of up to ``rows`` rows; see steps.py for what each is for."""

    def __init__(self, program: Program, layout: Layout, rows: int) -> None:
        dtype = np.dtype(program.dtype)
        label_width = 0 if program.label_shape is None else elements(program.label_shape)
        integer = program.label_dtype == "int32"
        scratch = 0
        for op in program.ops:
            if op.op == "dense":
                inputs, outputs = program.params[op.params[0]].shape
                positions = elements(program.values[op.output].shape[:-1])
                scratch = max(scratch, dense_scratch(rows * positions, inputs, outputs))
        self.rows = rows
        self.values: NDArray[Any] = np.empty(rows * layout.width, dtype)
        self.grads: NDArray[Any] = np.empty(rows * layout.width, dtype)
        self.scratch: NDArray[Any] = np.empty(scratch, dtype)
        self.y: NDArray[Any] = np.empty(0 if integer else rows * label_width, dtype)
        self.labels: NDArray[np.int32] = np.empty(rows * label_width if integer else 0, np.int32)
        self.dparams: NDArray[Any] = np.zeros(program.param_size, dtype)


class Pool:
    """Workspaces that no call is using. Any number of threads may take one.

    There is no lock that a fork could leave held for ever: appending to a deque and popping from it are atomic.
    """

    MOST = 8  # a burst of threads leaves no more behind

    def __init__(self, program: Program, layout: Layout) -> None:
        self._program = program
        self._layout = layout
        self._free: deque[Workspace] = deque(maxlen=self.MOST)

    def take(self, rows: int) -> Workspace:
        """Returns a workspace for blocks of at least ``rows`` rows that no other call uses; drops one too small."""
        try:
            free = self._free.pop()
        except IndexError:
            return Workspace(self._program, self._layout, rows)
        return free if free.rows >= rows else Workspace(self._program, self._layout, rows)

    def give(self, workspace: Workspace) -> None:
        """Takes a workspace back. After an error it may as well be dropped."""
        self._free.append(workspace)
