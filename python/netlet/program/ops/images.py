"""Ops on images ``[H, W, C]``: cut out, resized."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from netlet.program.case import Case
from netlet.program.ops.affine import INTERPOLATIONS, check_image
from netlet.program.spec import Array, Attr, Attrs, OpSpec, Shape, elements

__all__ = ["Crop", "ImageOp", "Resize"]


class ImageOp(OpSpec):
    """What ops on images share."""

    signature = "x[B,H,W,C] -> y[B,H,W,C]"
    native = False

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        return {
            "x": rng.standard_normal((case.batch, *case.shapes[0])),
            "dy": rng.standard_normal((case.batch, *case.output_shape)),
        }


class Crop(ImageOp):
    """A rectangle cut out of each image."""

    name = "crop"
    signature = "x[B,H,W,C] -> y[B,height,width,C]"
    formula = "y = x[:, top : top + height, left : left + width, :]"
    source = "keras.layers.CenterCrop"

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        sizes = tuple(Attr(name, "int", 1, 1, 2**31) for name in ("height", "width"))
        return (Attr("top", "int", 0, 0, 2**31), Attr("left", "int", 0, 0, 2**31), *sizes)

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        check_image(inputs[0])
        height, width, channels = inputs[0]
        if attrs["top"] + attrs["height"] > height or attrs["left"] + attrs["width"] > width:
            raise ValueError(f"the rectangle {dict(attrs)} is not within an image of {height} x {width}")
        return attrs["height"], attrs["width"], channels

    @staticmethod
    def _part(attrs: Attrs, x: Array) -> Array:
        top, left = attrs["top"], attrs["left"]
        return x[:, top : top + attrs["height"], left : left + attrs["width"], :]

    def forward(self, attrs: Attrs, xs: Sequence[Array], params: Sequence[Array], y: Array) -> None:
        np.copyto(y, self._part(attrs, xs[0]))

    def backward(
        self,
        attrs: Attrs,
        xs: Sequence[Array],
        params: Sequence[Array],
        y: Array,
        dy: Array,
        dxs: Sequence[Array | None],
        dparams: Sequence[Array | None],
    ) -> None:
        if dxs[0] is not None:
            dxs[0][...] = 0
            np.copyto(self._part(attrs, dxs[0]), dy)

    def flops(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs) -> int:
        return 0

    def cases(self) -> Iterator[Case]:
        yield Case(self, 3, ((5, 4, 2),), attrs={"top": 1, "left": 2, "height": 3, "width": 2})
        yield Case(self, 1, ((9, 17, 1),), attrs={"top": 0, "left": 3, "height": 9, "width": 13})
        yield Case(self, 7, ((3, 3, 3),), attrs={"height": 3, "width": 3})
        yield Case(self, 2, ((1, 1, 1),))

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        return {name: np.zeros_like(w) for name, w in want.items()}  # it moves numbers, it computes none


class Resize(ImageOp):
    """Each image at another size. Pixels are squares: the middle of pixel i of n lies at ``(i + 1/2) / n``.

    ``bilinear`` weighs the two pixels beside a place along each axis, ``nearest`` takes the one it lies in. Nothing is
    smoothed where an image becomes smaller.
    """

    name = "resize"
    signature = "x[B,H,W,C] -> y[B,height,width,C]"
    formula = "y = R_height x R_width^T"
    source = "keras.layers.Resizing"

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        sizes = tuple(Attr(name, "int", 1, 1, 2**31) for name in ("height", "width"))
        return (*sizes, Attr("interpolation", "name", "bilinear", names=INTERPOLATIONS))

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        check_image(inputs[0])
        return attrs["height"], attrs["width"], inputs[0][2]

    @staticmethod
    def _matrix(size: int, wanted: int, way: str, dtype: np.dtype[np.generic]) -> Array:
        """The weights ``[wanted, size]`` along one axis."""
        matrix = np.zeros((wanted, size))
        rows = np.arange(wanted)
        place = (rows + 0.5) * (size / wanted)
        if way == "nearest":
            matrix[rows, np.minimum(np.floor(place).astype(np.intp), size - 1)] = 1.0
        else:
            place = (place - 0.5).clip(0, size - 1)
            low = np.floor(place).astype(np.intp)
            np.add.at(matrix, (rows, low), 1.0 - (place - low))
            np.add.at(matrix, (rows, np.minimum(low + 1, size - 1)), place - low)
        return matrix.astype(dtype)

    def _matrices(self, attrs: Attrs, shape: Sequence[int], dtype: np.dtype[np.generic]) -> tuple[Array, Array]:
        way = attrs["interpolation"]
        return (
            self._matrix(shape[1], attrs["height"], way, dtype),
            self._matrix(shape[2], attrs["width"], way, dtype),
        )

    def forward(self, attrs: Attrs, xs: Sequence[Array], params: Sequence[Array], y: Array) -> None:
        down, across = self._matrices(attrs, xs[0].shape, y.dtype)
        columns = np.tensordot(xs[0], down, (1, 1))  # [B, W, C, height]
        np.copyto(y, np.tensordot(columns, across, (1, 1)).transpose(0, 2, 3, 1))

    def backward(
        self,
        attrs: Attrs,
        xs: Sequence[Array],
        params: Sequence[Array],
        y: Array,
        dy: Array,
        dxs: Sequence[Array | None],
        dparams: Sequence[Array | None],
    ) -> None:
        if dxs[0] is not None:
            down, across = self._matrices(attrs, xs[0].shape, dy.dtype)
            columns = np.tensordot(dy, down, (1, 0))  # [B, width, C, H]
            np.copyto(dxs[0], np.tensordot(columns, across, (1, 0)).transpose(0, 2, 3, 1))

    def flops(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs) -> int:
        return 8 * elements((attrs["height"], attrs["width"], inputs[0][2]))

    def cases(self) -> Iterator[Case]:
        for n, (height, width) in enumerate(((3, 2), (8, 9), (5, 4), (1, 1), (17, 3))):
            for way in INTERPOLATIONS:
                attrs = {"height": height, "width": width, "interpolation": way}
                yield Case(self, (1, 3)[n % 2], ((5, 4, 1 + n % 3),), attrs=attrs)
        yield Case(self, 2, ((1, 1, 2),), attrs={"height": 3, "width": 4})

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        # weights are rounded, and dot products of H and of W terms
        x, dy = np.abs(arrays["x"]), np.abs(arrays["dy"])
        size, total = np.empty_like(dy), np.empty_like(x)
        self.forward(case.attrs, [x], [], size)
        self.backward(case.attrs, [x], [], size, dy, [total], [])
        terms = x.shape[1] + x.shape[2]
        wanted = dy.shape[1] + dy.shape[2]
        return {"y": (2 + terms / 2) * eps * size, "dx": (2 + wanted / 2) * eps * total}
