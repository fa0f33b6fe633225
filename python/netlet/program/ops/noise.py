"""Noise that is there in training and not otherwise: dropout and its relatives.

Which numbers are drawn follows from the op's seed, the training step and the element's place in the batch (Philox, see
netlet/random.py): they are the same on every backend and for any number of threads, and a run that is resumed draws
what it would have drawn.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from netlet import random
from netlet.program.case import Case
from netlet.program.spec import Array, Attr, Attrs, Context, OpSpec, Shape, elements

__all__ = ["AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise"]

# Selu's constants: Klambauer, Unterthiner, Mayr, Hochreiter, "Self-normalizing neural networks" (2017), section 2.
_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


def _words(attrs: Attrs, context: Context, count: int) -> Array:
    return random.philox_words(attrs["seed"], random.DROPOUT, context.iteration, 0, count)


def kept(attrs: Attrs, context: Context, count: int) -> Array:
    """Which of ``count`` elements stay, as booleans: those whose word is at least ``rate * 2**32``."""
    threshold = np.uint64(math.ceil(attrs["rate"] * 2.0**32))
    return _words(attrs, context, count) >= threshold


def gaussian(attrs: Attrs, context: Context, shape: Shape, dtype: np.dtype[np.generic]) -> Array:
    """Standard normal numbers, by Box and Muller (1958) from two words each, computed in float64."""
    count = elements(shape)
    words = _words(attrs, context, 2 * count).reshape(count, 2)
    u = (words[:, 0] + 0.5) * 2.0**-32  # in (0, 1): its logarithm is finite
    v = words[:, 1] * 2.0**-32
    return (np.sqrt(-2.0 * np.log(u)) * np.cos(2.0 * np.pi * v)).reshape(shape).astype(dtype)


class _Noise(OpSpec):
    """What the noises share: y has x's shape, and without training they are the identity."""

    signature = "x[B,...] -> y[B,...]"
    contextual = True
    native = False

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        return inputs[0]

    def _affine(self, attrs: Attrs, context: Context, x: Array) -> tuple[Array | None, Array | None]:
        """Factor and term of this step: y = factor x + term; None for 1 and 0."""
        raise NotImplementedError

    def forward_in(
        self,
        context: Context,
        attrs: Attrs,
        xs: Sequence[Array],
        params: Sequence[Array],
        state: Sequence[Array],
        y: Array,
    ) -> None:
        factor, term = self._affine(attrs, context, xs[0]) if context.training else (None, None)
        if factor is None:
            np.copyto(y, xs[0])
        else:
            np.multiply(xs[0], factor, out=y)
        if term is not None:
            y += term

    def backward_in(
        self,
        context: Context,
        attrs: Attrs,
        xs: Sequence[Array],
        params: Sequence[Array],
        state: Sequence[Array],
        y: Array,
        dy: Array,
        dxs: Sequence[Array | None],
        dparams: Sequence[Array | None],
    ) -> None:
        if dxs[0] is None:
            return
        factor = self._affine(attrs, context, xs[0])[0] if context.training else None
        if factor is None:
            np.copyto(dxs[0], dy)
        else:
            np.multiply(dy, factor, out=dxs[0])

    def flops(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs) -> int:
        return 2 * elements(inputs[0])

    def _settings(self) -> Sequence[dict[str, float | int]]:
        """Attributes to test with."""
        return ({"rate": 0.5, "seed": 7}, {"rate": 0.1, "seed": 2**62 + 5})

    def cases(self) -> Iterator[Case]:
        shapes: Sequence[Shape] = ((1,), (3,), (7,), (8,), (9,), (15,), (16,), (17,), (33,), (4, 5))
        for n, shape in enumerate(shapes):
            for attrs in self._settings():
                batch = (1, 3, 7)[n % 3]
                yield Case(self, batch, (shape,), attrs=attrs)
                yield Case(self, batch, (shape,), attrs=attrs, training=True, iteration=n)

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        shape = (case.batch, *case.shapes[0])
        return {"x": rng.standard_normal(shape), "dy": rng.standard_normal(shape)}

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        # The factor is rounded, then the product, then a sum; a term of the noise is rounded to the type.
        x = arrays["x"]
        context = Context(case.training, case.iteration)
        factor, term = self._affine(case.attrs, context, x) if case.training else (None, None)
        size = np.abs(x) * (1.0 if factor is None else np.abs(factor)) + (0.0 if term is None else np.abs(term))
        return {"y": 2 * eps * size, "dx": 2 * eps * np.abs(want["dx"])}


class Dropout(_Noise):
    """Each element is 0 with probability ``rate``; the others are divided by ``1 - rate``.

    With ``noise_shape``, of a row, axes of length 1 share their fate.
    """

    name = "dropout"
    formula = "y = x * kept / (1 - rate)"
    source = "Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov (2014); keras.layers.Dropout"
    native = True

    def is_native(self, attrs: Attrs) -> bool:
        return self.native and not attrs["noise_shape"]

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (
            Attr("rate", "float", 0.5, 0.0, 1.0),
            Attr("seed", "int", 0, 0, 2**63 - 1),
            Attr("noise_shape", "ints", (), 1, 2**31),
        )

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        noise = attrs["noise_shape"]
        fits = len(noise) == len(inputs[0]) and all(n in (1, x) for n, x in zip(noise, inputs[0], strict=True))
        if noise and not fits:
            raise ValueError(f"noise_shape is {noise}, expected the sizes of {inputs[0]}, or 1, for each axis of a row")
        return inputs[0]

    def _affine(self, attrs: Attrs, context: Context, x: Array) -> tuple[Array | None, Array | None]:
        rate = attrs["rate"]
        if rate == 0.0:
            return None, None
        shape = (len(x), *(attrs["noise_shape"] or x.shape[1:]))
        scale = x.dtype.type(0.0 if rate == 1.0 else 1.0 / (1.0 - rate))
        return np.where(kept(attrs, context, elements(shape)).reshape(shape), scale, x.dtype.type(0)), None

    def _settings(self) -> Sequence[dict[str, float | int]]:
        return (*super()._settings(), {"rate": 0.0}, {"rate": 1.0})

    def cases(self) -> Iterator[Case]:
        yield from super().cases()
        yield Case(self, 3, ((4, 5),), attrs={"rate": 0.4, "noise_shape": (1, 5)}, training=True, iteration=3)
        yield Case(self, 3, ((4, 5),), attrs={"rate": 0.4, "noise_shape": (4, 1)}, training=True, iteration=4)


class GaussianDropout(_Noise):
    """Each element times a normal number of mean 1 and standard deviation ``sqrt(rate / (1 - rate))``."""

    name = "gaussian_dropout"
    formula = "y = x * (1 + sqrt(rate / (1 - rate)) * normal)"
    source = "Srivastava et al. (2014), section 10; keras.layers.GaussianDropout"

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (Attr("rate", "float", 0.5, 0.0, 0.999999), Attr("seed", "int", 0, 0, 2**63 - 1))

    def _affine(self, attrs: Attrs, context: Context, x: Array) -> tuple[Array | None, Array | None]:
        rate = attrs["rate"]
        if rate == 0.0:
            return None, None
        noise = gaussian(attrs, context, x.shape, x.dtype)
        noise *= x.dtype.type(math.sqrt(rate / (1.0 - rate)))
        noise += x.dtype.type(1)
        return noise, None

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        # as above, but 1 + noise may cancel: its rounding counts in units of 1 + |noise|
        x, dy = np.abs(arrays["x"]), np.abs(arrays["dy"])
        size = np.ones_like(x)
        if case.training:
            factor, _ = self._affine(case.attrs, Context(True, case.iteration), arrays["x"])
            size = 2 + np.abs(0.0 if factor is None else factor)
        return {"y": 3 * eps * size * x, "dx": 3 * eps * size * dy}


class GaussianNoise(_Noise):
    """Normal numbers of standard deviation ``stddev`` are added."""

    name = "gaussian_noise"
    formula = "y = x + stddev * normal"
    source = "keras.layers.GaussianNoise"

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (Attr("stddev", "float", 1.0, 0.0, 1e30), Attr("seed", "int", 0, 0, 2**63 - 1))

    def _affine(self, attrs: Attrs, context: Context, x: Array) -> tuple[Array | None, Array | None]:
        noise = gaussian(attrs, context, x.shape, x.dtype)
        noise *= x.dtype.type(attrs["stddev"])
        return None, noise

    def _settings(self) -> Sequence[dict[str, float | int]]:
        return ({"stddev": 1.0, "seed": 7}, {"stddev": 0.1, "seed": 2**62 + 5})


class AlphaDropout(_Noise):
    """Dropout that keeps mean and variance of what selu gives out: dropped elements become selu's lower bound, and an
    affine map puts mean and variance right."""

    name = "alpha_dropout"
    formula = "y = a * (x where kept, else -scale * alpha of selu) + b"
    source = "Klambauer, Unterthiner, Mayr, Hochreiter (2017), appendix; keras.layers.AlphaDropout"

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        shared = Attr("noise_shape", "ints", (), 1, 2**31, optional=True)
        return (Attr("rate", "float", 0.5, 0.0, 0.999999), Attr("seed", "int", 0, 0, 2**63 - 1), shared)

    def is_native(self, attrs: Attrs) -> bool:
        return self.native and "noise_shape" not in attrs

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        noise = attrs.get("noise_shape", ())
        pairs = zip(noise, inputs[0], strict=False)
        if noise and (len(noise) != len(inputs[0]) or any(n not in (1, size) for n, size in pairs)):
            raise ValueError(f"noise_shape {noise} does not broadcast to an input of shape {inputs[0]}")
        return inputs[0]

    def _affine(self, attrs: Attrs, context: Context, x: Array) -> tuple[Array | None, Array | None]:
        rate = attrs["rate"]
        if rate == 0.0:
            return None, None
        low = -_SELU_ALPHA * _SELU_SCALE
        a = ((1.0 - rate) * (1.0 + rate * low**2)) ** -0.5
        b = -a * low * rate
        shape = (len(x), *(attrs.get("noise_shape") or x.shape[1:]))
        stays = kept(attrs, context, elements(shape)).reshape(shape)
        kind = x.dtype.type
        return np.where(stays, kind(a), kind(0)), np.where(stays, kind(b), kind(a * low + b))

    def cases(self) -> Iterator[Case]:
        yield from super().cases()
        yield Case(self, 3, ((4, 5),), attrs={"rate": 0.4, "noise_shape": (1, 5)}, training=True, iteration=3)
        yield Case(self, 3, ((4, 5),), attrs={"rate": 0.4, "noise_shape": (4, 1)}, training=True, iteration=4)
