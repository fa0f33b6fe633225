"""Connectionist temporal classification: labels without their places in time.

Source: Graves et al., "Connectionist temporal classification: labelling unsegmented sequence data with recurrent neural
networks", 2006. All in logarithms, so nothing under- or overflows.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from netlet.program.case import Case
from netlet.program.ops.activation import shifted, spread
from netlet.program.ops.loss_terms import scale_of, weighted
from netlet.program.ops.losses import row_scale
from netlet.program.spec import Array, Attrs, LossSpec, Shape

__all__ = ["Ctc"]


def _log_softmax(x: Array) -> Array:
    out = np.empty_like(x)
    shifted(x, out)
    out -= np.log(np.add.reduce(np.exp(out), axis=-1, keepdims=True))
    return out


def _advance(state: Array, skip: Array) -> Array:
    """log of the chance to come to each state: from itself, from the one before, and where ``skip`` from two before."""
    arriving = state.copy()
    np.logaddexp(arriving[:, 1:], state[:, :-1], out=arriving[:, 1:])
    jump = np.where(skip[:, 2:], state[:, :-2], -np.inf).astype(state.dtype, copy=False)
    np.logaddexp(arriving[:, 2:], jump, out=arriving[:, 2:])
    return arriving


class Ctc(LossSpec):
    """Minus the logarithm of the chance that the labels come out, in their order, at whatever times.

    Class 0 is the blank, which stands between labels and is no label. A row's labels are its first n numbers, n being
    how many of them are not 0, as Keras counts. Labels that do not fit into the T times have a loss of infinity and a
    gradient of 0; a label that no class has gives NaN for both.
    """

    name = "ctc"
    signature = "x[B,T,C] y[B,T] int32 -> loss[B]"
    formula = "-log of the sum over all paths that spell y, with blanks and repetitions, of their softmax(x)"
    source = "keras.losses.CTC"
    integer_labels = True
    label_padding = 0

    def label_shape(self, prediction: Shape, attrs: Attrs = {}) -> Shape:  # noqa: B006 - read only
        """``(T,)``: rows of fewer labels are filled up with 0."""
        super().label_shape(prediction)
        if len(prediction) != 2:
            raise ValueError(f"ctc: expected a prediction of two axes, times and classes, got shape {prediction}")
        return prediction[:1]

    def value_and_gradient(
        self,
        attrs: Attrs,
        x: Array,
        y: Array,
        weight: Array | None,
        losses: Array,
        dx: Array | None,
        output: Array | None,
        clip: tuple[float, float] | None = None,
    ) -> None:
        batch, times, classes = x.shape
        lengths = np.count_nonzero(y, axis=1)
        longest = int(lengths.max(initial=0))
        labels = y[:, :longest]
        counted = np.arange(longest) < lengths[:, None]
        unknown = (((labels < 0) | (labels >= classes)) & counted).any(axis=1)
        labels = np.where((labels >= 0) & (labels < classes), labels, 0)
        # blank, label, blank, label, ..., blank
        states = np.zeros((batch, 2 * longest + 1), np.int64)
        states[:, 1::2] = labels
        skip = np.zeros(states.shape, bool)  # a blank may be left out between different labels
        skip[:, 3::2] = labels[:, 1:] != labels[:, :-1]
        there = np.arange(states.shape[1]) <= 2 * lengths[:, None]
        rows = np.arange(batch)
        ends = np.zeros(states.shape, bool)
        ends[rows, 2 * lengths] = True
        ends[rows[lengths > 0], 2 * lengths[lengths > 0] - 1] = True

        logs = _log_softmax(x)
        emitted = np.take_along_axis(logs, states[:, None, :], axis=2)  # [B, T, S]
        emitted[~np.broadcast_to(there[:, None, :], emitted.shape)] = -np.inf
        forward = np.full(emitted.shape, -np.inf, x.dtype)
        forward[:, 0, :2] = emitted[:, 0, :2]
        for t in range(1, times):
            np.add(_advance(forward[:, t - 1], skip), emitted[:, t], out=forward[:, t])
        final = np.where(ends, forward[:, -1], -np.inf)
        chance = np.logaddexp.reduce(final, axis=1)
        np.negative(chance, out=losses)
        losses[unknown] = np.nan
        if dx is None:
            return

        backward = np.full(emitted.shape, -np.inf, x.dtype)  # of what comes after t
        np.copyto(backward[:, -1], 0, where=ends)
        ahead = np.zeros_like(skip)  # whether the state two ahead may be jumped to
        ahead[:, 2:] = skip[:, :1:-1]
        for t in range(times - 2, -1, -1):
            following = backward[:, t + 1] + emitted[:, t + 1]
            backward[:, t] = _advance(following[:, ::-1], ahead)[:, ::-1]
        occupied = np.exp(forward + backward - chance[:, None, None])
        np.exp(logs, out=dx)
        place = (rows[:, None, None], np.arange(times)[None, :, None], states[:, None, :])
        np.subtract.at(dx, place, occupied)
        dx[np.isneginf(chance)] = 0
        dx[unknown] = np.nan
        dx *= row_scale(x, weight, 1)

    def cases(self) -> Iterator[Case]:
        for n, (batch, times, classes) in enumerate(
            ((1, 1, 2), (3, 4, 3), (2, 5, 7), (7, 6, 8), (4, 4, 9), (9, 5, 17), (2, 4, 15), (5, 3, 16))
        ):
            yield Case(self, batch, ((times, classes),), weighted=n % 3 == 1)
        for times, classes in ((16, 9), (33, 3)):
            yield Case(self, 3, ((times, classes),), data="long")
        yield Case(self, 4, ((6, 4),), data="repeated")
        yield Case(self, 4, ((6, 3),), data="extreme")
        yield Case(self, 5, ((4, 3),), data="bad labels")

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        """Up to half as many labels as times.

        ``long``: of many times, over which errors add up. ``repeated``: the same label again and again. ``extreme``:
        logits far apart. ``bad labels``: a row that does not fit, a negative class number, and one too large.
        """
        (times, classes), batch = case.shapes[0], case.batch
        x = 2 * rng.standard_normal((batch, times, classes))
        most = max(1, times // 2)
        y = np.zeros((batch, times), np.int64)
        y[:, :most] = rng.integers(1, classes, (batch, most))
        y[np.arange(times) >= rng.integers(0, most + 1, batch)[:, None]] = 0
        if case.data == "repeated":
            y[:] = 0
            y[:, :most] = 2
        if case.data == "extreme":
            x[0] *= 20
            x[1] += 1e3
        if case.data == "bad labels":
            y[0], y[1, 0], y[2, 0] = 1, -1, classes
        return weighted(case, rng, {"x": x, "y": y})

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        x = arrays["x"]
        times = case.shapes[0][0]
        scale = scale_of(case, arrays, 1)
        distance, total = spread(x, eps)
        logs = np.abs(_log_softmax(x))
        p = np.exp(-logs)
        size = np.abs(np.where(np.isfinite(want["losses"]), want["losses"], 0))
        # how likely each class is at each time, given the labels
        occupied = np.clip(p - want["dx"] / np.maximum(scale, 1e-300), 0, 1)
        # log_softmax: the distance is rounded, the sum errs relatively, its logarithm by 2 eps; weighed by occupied, a
        # state's logarithm is no larger than the loss and log(2 T + 1), and each step rounds three such sums, two of
        # them with a logarithm and an exponential of at most 1
        log_error = 3 * eps * logs + eps * distance + total + 2 * eps
        step = eps * (1.5 * (size + np.log(2 * times + 1)) + 4)
        losses = (occupied * log_error).sum(axis=(1, 2)) + times * step + eps * size
        # a share: of the chances before, after and of all, each off by as much; shares of one class are added up
        share_error = 2 * losses[:, None, None] * (1 + occupied) + (times + 4) * eps * occupied
        p_error = p * (distance * eps / 2 + total + 3 * eps)
        dx = scale * (p_error + share_error) + 2 * eps * np.abs(want["dx"])
        weight = arrays.get("weight", np.ones(case.batch))
        loss = np.mean(weight * (losses + (case.batch / 2 + 2) * eps * np.abs(want["losses"])))
        return {"losses": losses, "loss": loss, "dx": dx}
