"""The matrix product that LLVM vectorises without reordering a sum.

It runs the axpy way: the innermost loop goes along a row of the result, so lanes never meet, and each element adds its
terms one by one in rising k, whatever the block sizes. Two result rows times four k keep every load busy: per vector of
columns 6 loads and 2 stores feed 8 multiplications and 8 additions. (Numba's own ``np.dot`` needs SciPy.)
"""

from __future__ import annotations

from typing import Any

from netlet.backends.numba_kernels.jit import kernel

__all__ = ["add_product", "transpose"]


@kernel
def add_product(a: Any, m_step: Any, k_step: Any, b: Any, c: Any) -> None:
    """c[M,N] += a[M,K] @ b[K,N], where ``a`` is flat and element (m, k) lies at ``m * m_step + k * k_step`` (int64).

    Steps (K, 1) are a row-major matrix, (1, M) the transposed of one. ``c`` overlaps neither ``a`` nor ``b``.
    """
    k_size, n_size = b.shape
    m_size = c.shape[0]
    m_even, k_quad = m_size - m_size % 2, k_size - k_size % 4
    for m in range(0, m_even, 2):
        a0, a1 = m * m_step, (m + 1) * m_step
        for k in range(0, k_quad, 4):
            k0, k1, k2, k3 = k * k_step, (k + 1) * k_step, (k + 2) * k_step, (k + 3) * k_step
            a00, a01, a02, a03 = a[a0 + k0], a[a0 + k1], a[a0 + k2], a[a0 + k3]
            a10, a11, a12, a13 = a[a1 + k0], a[a1 + k1], a[a1 + k2], a[a1 + k3]
            for n in range(n_size):
                c[m, n] = c[m, n] + a00 * b[k, n] + a01 * b[k + 1, n] + a02 * b[k + 2, n] + a03 * b[k + 3, n]
                c[m + 1, n] = c[m + 1, n] + a10 * b[k, n] + a11 * b[k + 1, n] + a12 * b[k + 2, n] + a13 * b[k + 3, n]
        for k in range(k_quad, k_size):
            a00, a10 = a[a0 + k * k_step], a[a1 + k * k_step]
            for n in range(n_size):
                c[m, n] += a00 * b[k, n]
                c[m + 1, n] += a10 * b[k, n]
    for m in range(m_even, m_size):
        for k in range(k_size):
            a00 = a[m * m_step + k * k_step]
            for n in range(n_size):
                c[m, n] += a00 * b[k, n]


@kernel
def transpose(a: Any, b: Any) -> None:
    """b[N,M] = a[M,N].T."""
    m_size, n_size = a.shape
    for n in range(n_size):
        for m in range(m_size):
            b[n, m] = a[m, n]
