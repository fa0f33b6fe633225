// Packing for GEMM: operands copied into panels that the register tile reads from end to end.
#pragma once

#include "kernels/gemm_tile.inl"

namespace netlet {
namespace {

// L x L elements turned over their diagonal, in log2 L rounds of zips: after each, r[2i] and r[2i+1] hold what r[i] and
// r[i + L/2] held, element by element.
template <class T>
static NL_FN void turn(Vec<T> (&r)[Vec<T>::lanes]) {
  constexpr int L = static_cast<int>(Vec<T>::lanes);
  NL_UNROLL for (int round = 1; round < L; round *= 2) {
    Vec<T> next[L];
    NL_UNROLL for (int i = 0; i < L / 2; ++i) {
      next[2 * i] = zip_low(r[i], r[i + L / 2]);
      next[2 * i + 1] = zip_high(r[i], r[i + L / 2]);
    }
    NL_UNROLL for (int i = 0; i < L; ++i) r[i] = next[i];
  }
}

// to[j * ld + i] <- from[i * step + j] for i < rows <= L, j < columns: a strip of up to L rows turned. Elements of `to`
// in rows..width-1 become 0, width <= L.
template <class T>
static NL_FN void turn_strip(int64_t rows, int64_t columns, const T* from, int64_t step, int64_t width, T* to,
                             int64_t ld) {
  using vec = Vec<T>;
  constexpr int64_t L = vec::lanes;
  const auto out = vec::first(width);
  int64_t j = 0;
  for (; j + L <= columns; j += L) {
    vec r[L];
    if (rows == L) {
      NL_UNROLL for (int i = 0; i < L; ++i) r[i] = vec::load(from + i * step + j);
    } else {
      NL_UNROLL for (int i = 0; i < L; ++i) r[i] = i < rows ? vec::load(from + i * step + j) : vec(T(0));
    }
    turn<T>(r);
    if (width == L) {
      NL_UNROLL for (int i = 0; i < L; ++i) r[i].store(to + (j + i) * ld);
    } else {
      NL_UNROLL for (int i = 0; i < L; ++i) r[i].store(to + (j + i) * ld, out);
    }
  }
  for (; j < columns; ++j)
    for (int64_t i = 0; i < width; ++i) to[j * ld + i] = i < rows ? from[i * step + j] : T(0);
}

// y[N,M] <- x[M,N]
template <class T>
static void transpose(int64_t m, int64_t n, const T* x, T* y) {
  constexpr int64_t L = Vec<T>::lanes;
  for (int64_t i = 0; i < m; i += L) {
    const int64_t rows = m - i < L ? m - i : L;
    turn_strip<T>(rows, n, x + i * n, n, rows, y + i, m);
  }
}

// a[M,K] -> panels of MR rows, each [K][MR]; rows beyond M stay unwritten and are never read.
template <class T>
static void pack_a(int64_t m, int64_t k, const T* a, int64_t row, int64_t col, T* to) {
  using vec = Vec<T>;
  constexpr int64_t MR = Tile<T>::MR, L = vec::lanes;
  for (int64_t i = 0; i < m; i += MR, to += MR * k) {
    const int64_t rows = m - i < MR ? m - i : MR;
    if (row == 1) {
      for (int64_t r = 0; r < rows; r += L) {
        const auto part = vec::first(rows - r < L ? rows - r : L);
        for (int64_t p = 0; p < k; ++p) vec::load(a + i + r + p * col, part).store(to + p * MR + r, part);
      }
    } else {
      for (int64_t r = 0; r < rows; r += L) {
        const int64_t part = rows - r < L ? rows - r : L;
        turn_strip<T>(part, k, a + (i + r) * row, row, part, to + r, MR);
      }
    }
  }
}

// b[K,N] -> panels of NR columns, each [K][NR], with zeros beyond N.
template <class T>
static void pack_b(int64_t k, int64_t n, const T* b, int64_t row, int64_t col, T* to) {
  using vec = Vec<T>;
  constexpr int64_t NR = Tile<T>::NR, L = vec::lanes;
  for (int64_t j = 0; j < n; j += NR, to += NR * k) {
    const int64_t columns = n - j < NR ? n - j : NR;
    if (col == 1) {
      for (int64_t v = 0; v < NR; v += L) {
        const int64_t there = columns - v < 0 ? 0 : columns - v < L ? columns - v : L;
        const T* from = b + j + v;
        if (there == L) {
          for (int64_t p = 0; p < k; ++p) vec::load(from + p * row).store(to + p * NR + v);
        } else {
          const auto part = vec::first(there);
          for (int64_t p = 0; p < k; ++p) vec::load(from + p * row, part).store(to + p * NR + v);
        }
      }
    } else {
      for (int64_t v = 0; v < NR; v += L) {
        const int64_t there = columns - v < 0 ? 0 : columns - v < L ? columns - v : L;
        turn_strip<T>(there, k, b + (j + v) * col, col, L, to + v, NR);
      }
    }
  }
}

}  // namespace
}  // namespace netlet
