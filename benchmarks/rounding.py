"""What float32 may do to a training: the yardstick of the answer check, from the case alone and no contestant.

:func:`trainings` repeats the reference's training in float32, several times, and each time differently where float32
leaves a choice. A sum of n terms, one after another, errs by about ``2**-25 sqrt(n)`` of such sums' root mean square:
the last bit's rounding, as a random walk. (Of sums of 64 to 4,096 products the error was 0.6 of that, in OpenBLAS'
order 0.2 to 0.6.)

- **Order.** Inputs, hidden units and the rows of each batch are permuted, so that every sum is taken in another order.
- **Sums.** To each gradient is added at random what summing its rows one after another may add.
- **Updates.** A weight that was moved is rounded up or down at random, the nearer neighbour more often: a rate may be
  multiplied in before or after the mean, the step fused with it or not.
- **Powers.** To Adam's beta^t up to a rounding of numbers near 1 is added: where a library raises them in float32, what
  is left of 1 - beta^t is coarser in the first steps than anything else.
- **Edges.** A relu whose input is as near to 0 as twice a sum's error may be on in one library and off in another; one
  unit of one row is then missing from a gradient, which moves the weights a hundred times farther than rounding does.
  Seldom enough that few trainings would meet it by chance: so in every other one all of these relus are on, in the
  rest off.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks import reference
from benchmarks.cases import TrainingCase
from benchmarks.data import Array, initial_weights, training_data

TRAININGS = 8
SUM = 2**-25  # of n terms: times sqrt(n), as above


def trainings(case: TrainingCase) -> Iterator[list[Array]]:
    """The weights after each of the trainings, their units in the case's own order again."""
    for seed in range(TRAININGS):
        yield _train(case, np.random.default_rng(seed), on=seed % 2 == 0)


def _train(case: TrainingCase, random: np.random.Generator, on: bool) -> list[Array]:
    order = [random.permutation(width) for width in case.widths[:-1]] + [np.arange(case.widths[-1])]
    data = training_data(case)
    x, y = data.x[:, order[0]], data.y
    weights = _reordered(initial_weights(case), order)
    edge = -2 * SUM if on else 2 * SUM
    descend = reference.Descent(case, weights, slip=lambda: 2**-24 * random.uniform(-1, 1))
    for _ in range(case.check_epochs):
        for first in range(0, case.rows, case.batch):
            rows = first + random.permutation(case.batch)
            found = reference.gradients(case, weights, x[rows], y[rows], edge)
            for dw in found:
                dw += _uniform(dw.shape, random) * np.float32(np.sqrt(3 * case.batch * np.square(dw).mean()) * SUM)
            for w, step in zip(weights, descend.steps(found), strict=True):
                step += _uniform(w.shape, random) * np.float32(2**-24) * w  # up to half the distance to w's neighbours
                w -= step
    return _reordered(weights, [np.argsort(o) for o in order])


def _reordered(weights: list[Array], order: list[Array]) -> list[Array]:
    """``[kernel, bias, ...]`` with the units of every layer in another order."""
    found = []
    for layer, (kernel, bias) in enumerate(zip(weights[::2], weights[1::2], strict=True)):
        found += [kernel[order[layer]][:, order[layer + 1]], bias[order[layer + 1]]]
    return found


def _uniform(shape: tuple[int, ...], random: np.random.Generator) -> Array:
    """In [-1, 1), whose root mean square is ``1 / sqrt(3)``."""
    return 2 * random.random(shape, dtype=np.float32) - 1
