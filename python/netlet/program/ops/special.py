"""The complementary error function, which NumPy lacks."""

from __future__ import annotations

import numpy as np

from netlet.program.spec import Array

__all__ = ["erfc"]

# Chebyshev coefficients of exp(x^2) erfc(x) (1 + 2x) in t = (4 - x) / (4 + x), which maps x = 0 .. infinity to
# t = 1 .. -1. Computed with 80 decimal digits at 60 nodes (series below 4, continued fraction above); the first left
# out is below 1e-17, and for float32 below 1e-9.
_COEFFICIENTS = (
    1.1774832005374487,
    0.0072607966203019009,
    -0.081265123236184997,
    -0.060092128041222249,
    -0.028753935580276661,
    -0.010595663363472859,
    -0.0031369272945542641,
    -0.00074564943725361843,
    -0.0001369696503010054,
    -1.7183861600300937e-05,
    -7.1583646234503465e-07,
    2.4261399442449534e-07,
    5.5765709395703566e-08,
    2.1057869513809494e-09,
    -1.1717889351884957e-09,
    -1.9098355172456688e-10,
    1.408871764208813e-11,
    6.9011083204808152e-12,
    9.1679583641112937e-14,
    -2.1454508286554553e-13,
    -1.4716575027010623e-14,
    6.6686751187704082e-15,
    7.5045985098800835e-16,
    -2.22009300666632e-16,
    -3.1704898956330886e-17,
)
_FLOAT32_TERMS = 15


def erfc(x: Array) -> Array:
    """Returns 1 - erf(x), elementwise, in x's element type; a new array.

    Absolute error below 4 eps of the type (measured: 3.5); NaN stays NaN.
    """
    size = np.abs(x)
    t = (4 - size) / (4 + size)
    np.copyto(t, -1, where=size > 1e6)  # infinity / infinity
    coefficients = _COEFFICIENTS[:_FLOAT32_TERMS] if x.dtype == np.float32 else _COEFFICIENTS
    # Clenshaw's recurrence: b_k = c_k + 2 t b_{k+1} - b_{k+2}; the sum is c_0 + t b_1 - b_2.
    twice = 2 * t
    b1, b2, spare = np.zeros_like(t), np.zeros_like(t), np.empty_like(t)
    for c in reversed(coefficients[1:]):
        np.multiply(twice, b1, out=spare)
        spare -= b2
        spare += c
        b1, b2, spare = spare, b1, b2
    t *= b1
    t -= b2
    t += coefficients[0]
    t /= 1 + 2 * size
    np.minimum(size, 30, out=size)  # exp(-900) is 0 in every type
    size *= size
    np.negative(size, out=size)
    t *= np.exp(size, out=size)
    result: Array = np.where(x < 0, 2 - t, t)
    return result
