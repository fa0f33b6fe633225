"""The weights of a short-time Fourier transform, and the windows that scipy.signal offers for it by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.errors import unknown_name
from netlet.initializers.base import Initializer, Shape, weight_dtype

SIDES = ("real", "imag")
SCALINGS = ("density", "spectrum")


def _cosines(*coefficients: float) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """a0 - a1 cos(2 pi t) + a2 cos(4 pi t) - ..., t from 0 to 1 along the window."""

    def window(t: NDArray[Any]) -> NDArray[Any]:
        values = np.zeros_like(t)
        for k, a in enumerate(coefficients):
            values += (-1) ** k * a * np.cos(2 * np.pi * k * t)
        return values

    return window


def _tukey(t: NDArray[Any]) -> NDArray[Any]:
    """Flat in the middle, half a wave of the cosine over the first and the last quarter."""
    edge = np.minimum(np.minimum(t, 1 - t) * 4, 1)
    values: NDArray[Any] = 0.5 - 0.5 * np.cos(np.pi * edge)
    return values


#: Windows over t, which runs from 0 to 1. Source: Harris, "On the use of windows for harmonic analysis", 1978.
WINDOWS: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "bartlett": lambda t: 1 - np.abs(2 * t - 1),
    "blackman": _cosines(0.42, 0.5, 0.08),
    "blackmanharris": _cosines(0.35875, 0.48829, 0.14128, 0.01168),
    "boxcar": np.ones_like,
    "hamming": _cosines(0.54, 0.46),
    "hann": _cosines(0.5, 0.5),
    "tukey": _tukey,
}


class STFT(Initializer):
    """Real or imaginary parts of the discrete Fourier transform of frames, for a kernel ``[frame, 1, frequencies]``.

    Element (t, 0, f) is ``cos(a)`` or ``sin(a)`` times the window at t, ``a = -2 pi t f / (2 (frequencies - 1))``.

    Source: keras.initializers.STFT, Keras 3.15; windows: Harris, "On the use of windows for harmonic analysis", 1978.

    Args:
        side: "real" (default) or "imag".
        window: a name (see ``WINDOWS``; default "hann"), an array of the frame's length, or None for no window.
        scaling: "density" (default) divides the window by the root of its sum of squares, "spectrum" by its sum of
            absolute values; None leaves it.
        periodic: whether a named window is periodic rather than symmetric; default False.

    Shapes: ``[frame, channels, frequencies]``; all channels are the same.

    Raises: ValueError if an argument is none of these, the shape has not three axes, or the window's length is not the
    frame's.
    """

    def __init__(
        self, side: str = "real", window: Any = "hann", scaling: str | None = "density", periodic: bool = False
    ) -> None:
        if side not in SIDES:
            raise unknown_name("side", side, SIDES)
        if isinstance(window, str) and window not in WINDOWS:
            raise unknown_name("window", window, WINDOWS)
        if scaling is not None and scaling not in SCALINGS:
            raise unknown_name("scaling", scaling, SCALINGS)
        self.side, self.window, self.scaling, self.periodic = side, window, scaling, periodic

    def _window(self, length: int) -> NDArray[Any]:
        if isinstance(self.window, str):
            steps = length if self.periodic else length - 1
            return WINDOWS[self.window](np.arange(length) / steps) if length > 1 else np.ones(length)
        window = np.asarray(self.window, np.float64)
        if window.shape != (length,):
            raise ValueError(f"STFT: window has shape {window.shape}, expected {(length,)}")
        return window

    def __call__(self, shape: Shape, dtype: Any = None) -> NDArray[Any]:
        if len(shape) != 3:
            raise ValueError(f"STFT: shape must have three axes, got {tuple(shape)}")
        length, channels, frequencies = (int(n) for n in shape)
        angle = np.outer(np.arange(length), np.arange(frequencies)) * (-np.pi / max(1, frequencies - 1))
        part = np.cos(angle) if self.side == "real" else np.sin(angle)
        if self.window is not None:
            window = self._window(length)
            if self.scaling == "density":
                window = window / np.sqrt(np.sum(window**2))
            elif self.scaling == "spectrum":
                window = window / np.sum(np.abs(window))
            part *= window[:, None]
        return np.repeat(part[:, None, :], channels, axis=1).astype(weight_dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        return {"side": self.side, "window": self.window, "scaling": self.scaling, "periodic": self.periodic}
