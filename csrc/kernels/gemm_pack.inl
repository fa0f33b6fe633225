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
// in rows..width-1 become 0, width <= L. Where Spill, up to L elements are written for all columns but the last, which
// is fast where a masked store is slow; the next column, at most L on, then covers what was too much.
template <class T, bool Spill = false>
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
    if (width == L || (Spill && j + L < columns)) {
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

// Rows of K that are copied at a time where panels lie along them: a few streams to read, and whole cache lines to
// write, so that none is fetched twice however the rows' stride fills the sets of a cache.
inline constexpr int64_t kPackRows = 8;

// a[M,K] -> panels of MR rows, each [K][MR]; rows beyond M hold anything and are never read. The last rows of a panel
// come first: what they spill into the next step of k is the first rows', who then cover it. Its last step has no next.
template <class T>
static void pack_a(int64_t m, int64_t k, const T* a, int64_t row, int64_t col, T* to) {
  using vec = Vec<T>;
  constexpr int64_t MR = Tile<T>::MR, L = vec::lanes;
  if (row == 1) {
    for (int64_t p0 = 0; p0 < k; p0 += kPackRows) {
      const int64_t p1 = k - p0 < kPackRows ? k : p0 + kPackRows;
      for (int64_t i = 0; i < m; i += MR) {
        const int64_t rows = m - i < MR ? m - i : MR;
        for (int64_t r = (rows - 1) / L * L; r >= 0; r -= L) {
          const auto part = vec::first(rows - r < L ? rows - r : L);
          const T* const from = a + i + r;
          T* const panel = to + i * k + r;
          int64_t p = p0;
          for (; p < p1 && p < k - 1; ++p) vec::load(from + p * col, part).store(panel + p * MR);  // the next covers
          for (; p < p1; ++p) vec::load(from + p * col, part).store(panel + p * MR, part);
        }
      }
    }
  } else {
    for (int64_t i = 0; i < m; i += MR) {
      const int64_t rows = m - i < MR ? m - i : MR;
      for (int64_t r = (rows - 1) / L * L; r >= 0; r -= L) {
        const int64_t part = rows - r < L ? rows - r : L;
        turn_strip<T, true>(part, k, a + (i + r) * row, row, part, to + i * k + r, MR);
      }
    }
  }
}

// b[K,N] -> panels of NR columns, each [K][NR], with zeros beyond N.
template <class T>
static void pack_b(int64_t k, int64_t n, const T* b, int64_t row, int64_t col, T* to) {
  using vec = Vec<T>;
  constexpr int64_t NR = Tile<T>::NR, L = vec::lanes;
  constexpr int NV = Tile<T>::NV;
  if (col == 1) {
    for (int64_t p0 = 0; p0 < k; p0 += kPackRows) {
      const int64_t p1 = k - p0 < kPackRows ? k : p0 + kPackRows;
      for (int64_t j = 0; j < n; j += NR) {
        const T* const from = b + j;
        T* const panel = to + j * k;
        if (n - j >= NR) {
          for (int64_t p = p0; p < p1; ++p)
            NL_UNROLL for (int v = 0; v < NV; ++v) vec::load(from + p * row + v * L).store(panel + p * NR + v * L);
        } else {
          for (int64_t v = 0; v < NR; v += L) {
            const int64_t there = n - j - v < 0 ? 0 : n - j - v;
            const auto part = vec::first(there < L ? there : L);
            for (int64_t p = p0; p < p1; ++p) vec::load(from + p * row + v, part).store(panel + p * NR + v);
          }
        }
      }
    }
  } else {
    for (int64_t j = 0; j < n; j += NR, to += NR * k) {
      const int64_t columns = n - j < NR ? n - j : NR;
      for (int64_t v = 0; v < NR; v += L) {
        const int64_t there = columns - v < 0 ? 0 : columns - v < L ? columns - v : L;
        turn_strip<T>(there, k, b + (j + v) * col, col, L, to + v, NR);
      }
    }
  }
}

}  // namespace
}  // namespace netlet
