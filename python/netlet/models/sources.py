"""Where the batches of training come from: arrays held in memory, or an iterable that yields batches."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from netlet.models.data import unpack_batch

if TYPE_CHECKING:
    from netlet.models.engine import Engine
    from netlet.optimizers import Optimizer

Array = NDArray[Any]
Sums = NDArray[np.float64]

RAN_OUT = (
    "the data ran out before the epoch's steps were done: an iterable must yield steps_per_epoch * epochs batches, "
    "and arrays give at most one pass an epoch"
)


@dataclass(frozen=True)
class Rows:
    """Adapted data: what executors take.

    Attributes:
        xs: ``[n, *input]``, one array for each input.
        y: ``[n, *labels]``.
        sample_weight: ``[n]`` or None.
    """

    xs: tuple[Array, ...]
    y: Array
    sample_weight: Array | None

    def __len__(self) -> int:
        return len(self.xs[0])

    def part(self, first: int, last: int) -> Rows:
        """Return rows ``first .. last-1``, without a copy."""
        weight = None if self.sample_weight is None else self.sample_weight[first:last]
        return Rows(tuple(x[first:last] for x in self.xs), self.y[first:last], weight)


class Source(Protocol):
    """What ``fit`` trains on.

    Attributes:
        steps: per epoch, or None where that is not known before the end.
    """

    steps: int | None

    def begin_epoch(self) -> None:
        """Get ready for the next epoch."""
        ...

    def train(self, engine: Engine, first: int, last: int, optimizer: Optimizer, sums: Sums) -> int:
        """Run steps ``first .. last-1`` of the epoch and return how many there were: fewer if the data ran out."""
        ...

    def end_epoch(self) -> None:
        """Called when the steps of an epoch are done."""
        ...

    def get_state(self) -> dict[str, Any]:
        """Return where it is, as JSON can hold it."""
        ...

    def set_state(self, state: dict[str, Any], step: int) -> None:
        """Go on from what `get_state` returned after ``step`` steps of an epoch; 0 means before a new one.

        Raises: ValueError if these are not the data that the state is of.
        """
        ...


class ArraySource:
    """Batches gathered from rows in memory, in an order that each pass draws anew.

    Args:
        rows: the data.
        batch_size: rows a step; the last batch of a pass may be smaller.
        shuffle: called before each pass, or before some, with their number; returns (seed, epoch) of the first one's
            order, whom the others follow, or None for the rows' order.
        steps_per_epoch: None for a whole pass; fewer steps continue the pass in the next epoch.

    Attributes:
        passes: whether each epoch is one pass over rows at rest, several of which `train_passes` may run.
    """

    def __init__(
        self,
        rows: Rows,
        batch_size: int,
        shuffle: Callable[[int], tuple[int, int] | None],
        steps_per_epoch: int | None,
    ) -> None:
        self.rows = rows
        self._begin(-(-len(rows) // batch_size), batch_size, shuffle, steps_per_epoch)
        self.passes = steps_per_epoch is None

    def _begin(
        self,
        pass_steps: int,
        batch_size: int,
        shuffle: Callable[[int], tuple[int, int] | None],
        steps_per_epoch: int | None,
    ) -> None:
        """Set what every source of passes has; ``pass_steps``: of a pass."""
        self.batch_size = batch_size
        self.passes = False
        self.steps: int | None = steps_per_epoch or pass_steps
        self._steps_per_epoch = steps_per_epoch
        self._pass_steps = pass_steps
        self._shuffle = shuffle
        self._order: tuple[int, int] | None = None
        self._position = self._pass_steps  # steps done of the present pass; a new one begins at the first epoch
        self._offset = 0  # the epoch's first step, within the pass

    def begin_epoch(self) -> None:
        if self._steps_per_epoch is None or self._position >= self._pass_steps:
            self._order = self._shuffle(1)
            self._position = 0
        self._offset = self._position

    def train(self, engine: Engine, first: int, last: int, optimizer: Optimizer, sums: Sums) -> int:
        begin, end = self._offset + first, min(self._offset + last, self._pass_steps)
        if end < self._offset + last:
            warnings.warn(RAN_OUT, stacklevel=2)
        if begin >= end:
            return 0
        self._run(engine, begin, end, optimizer, sums)
        self._position = end
        return end - begin

    def train_passes(self, engine: Engine, passes: int, optimizer: Optimizer, sums: Sums) -> None:
        """Run so many whole passes as epochs of their own, which add to ``sums[pass]``.

        The optimizer counts the steps, also those made before Ctrl-C.
        """
        rows, steps = self.rows, self._pass_steps
        done, made = 0, optimizer._iterations
        if made == 0:
            optimizer.follow_weights()
        try:
            engine.executor.train_epochs(
                rows.xs,
                rows.y,
                rows.sample_weight,
                batch_size=self.batch_size,
                shuffle=self._shuffle(passes),
                epochs=passes,
                learning_rate=optimizer.rates(passes * steps),
                iteration=made,
                sums=sums,
            )
            done = passes * steps
        except BaseException:
            done = int(sum(-(-count // self.batch_size) for count in sums[:, 1]))
            raise
        finally:
            optimizer._iterations = made + done

    def _run(self, engine: Engine, begin: int, end: int, optimizer: Optimizer, sums: Sums) -> None:
        """Run steps ``begin .. end-1`` of the pass."""
        run_steps(engine, self.rows, self.batch_size, self._order, (begin, end), optimizer, sums)

    def end_epoch(self) -> None:
        """Nothing to do: rows are at rest."""

    def get_state(self) -> dict[str, Any]:
        state = {"order": self._order, "position": self._position, "offset": self._offset}
        return {**state, "pass_steps": self._pass_steps, "batch_size": self.batch_size}

    def set_state(self, state: dict[str, Any], step: int) -> None:
        if not step and self._steps_per_epoch is None:
            return  # the next epoch begins a pass
        found = state.get("pass_steps"), state.get("batch_size")
        if found != (self._pass_steps, self.batch_size):
            raise ValueError(
                f"the backup was made in a pass of {found[0]} batches of {found[1]} rows, "
                f"these data have {self._pass_steps} of {self.batch_size}"
            )
        order = state["order"]
        self._order = None if order is None else (order[0], order[1])
        self._position, self._offset = state["position"], state["offset"]


class BatchSource:
    """Batches that an iterable yields, each ``(x, y)`` or ``(x, y, sample_weight)``, used as they come.

    Args:
        batches: a generator (used up once) or an iterable (begun anew for each epoch).
        adapt: makes a raw batch into Rows.
        steps_per_epoch: None: an epoch lasts until the iterable ends.
        length: how many batches the iterable says it has, or None.
    """

    def __init__(
        self,
        batches: Any,
        adapt: Callable[[Any, Any, Any], Rows],
        steps_per_epoch: int | None,
        length: int | None = None,
    ) -> None:
        self.steps = steps_per_epoch or length
        self._steps_per_epoch = steps_per_epoch
        self._length = length
        self._batches = batches
        self._adapt = adapt
        self._once = hasattr(batches, "__next__")
        self._iterator: Iterator[Any] | None = None
        self._drawn = 0  # batches, since the iterable was last begun

    def begin_epoch(self) -> None:
        if self._iterator is not None and (self._once or not self._begins_anew()):
            return
        self._iterator = iter(self._batches)
        self._drawn = 0

    def _begins_anew(self) -> bool:
        """Whether the next epoch begins the iterable anew: always for whole epochs, else where it is known to be used
        up."""
        return self._steps_per_epoch is None or (self._length is not None and self._drawn >= self._length)

    def train(self, engine: Engine, first: int, last: int, optimizer: Optimizer, sums: Sums) -> int:
        assert self._iterator is not None
        for done in range(last - first):
            try:
                batch = next(self._iterator)
            except StopIteration:
                if not self._once:
                    self._iterator = None
                if self._steps_per_epoch is not None:
                    warnings.warn(RAN_OUT, stacklevel=2)
                return done
            self._drawn += 1
            train_batch(engine, self._adapt(*unpack_batch(batch)), optimizer, sums)
        return last - first

    def end_epoch(self) -> None:
        """Nothing to do: the iterable is left as it is."""

    def get_state(self) -> dict[str, Any]:
        return {"drawn": self._drawn}

    def set_state(self, state: dict[str, Any], step: int) -> None:
        """Draw as many batches as were drawn, and drop them: the iterable must yield the same ones again."""
        if not step and self._steps_per_epoch is None and not self._once:
            return  # the next epoch begins it anew
        self._iterator = iter(self._batches)
        self._drawn = sum(1 for _ in itertools.islice(self._iterator, state["drawn"]))
        if self._drawn < state["drawn"]:
            raise ValueError(f"the backup was made after {state['drawn']} batches, these data have {self._drawn}")


def train_batch(engine: Engine, rows: Rows, optimizer: Optimizer, sums: Sums) -> None:
    """Run one step on all of ``rows``."""
    run_steps(engine, rows, len(rows), None, (0, 1), optimizer, sums)


def run_steps(
    engine: Engine,
    rows: Rows,
    batch_size: int,
    shuffle: tuple[int, int] | None,
    steps: tuple[int, int],
    optimizer: Optimizer,
    sums: Sums,
) -> None:
    """Run steps ``steps[0] .. steps[1] - 1`` of a pass at the optimizer's pace.

    The optimizer counts them, also those made before Ctrl-C.
    """
    first, last = steps
    before, made = sums[1], optimizer._iterations
    if made == 0:
        optimizer.follow_weights()
    done = 0
    try:
        engine.executor.train(
            rows.xs,
            rows.y,
            rows.sample_weight,
            batch_size=batch_size,
            shuffle=shuffle,
            first=first,
            last=last,
            learning_rate=optimizer.rates(last - first),
            iteration=made,
            sums=sums,
        )
        done = last - first
    except BaseException:
        done = -int(-(sums[1] - before) // batch_size)  # all batches but the last of a pass are whole
        raise
    finally:
        optimizer._iterations = made + done
