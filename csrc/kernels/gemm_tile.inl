// The register tile of GEMM: a block of c[M,N] that stays in registers while k runs over all of K.
//
// One template serves all uses: a is read along its rows or down its columns, b from a packed panel or in place, c may
// start from zero, a bias or itself and may end in relu or in a step of gradient descent. Each element is one chain of
// fused multiply-adds over k, so the shape of the tile that computes it cannot change a bit.
#pragma once

#include "kernels/kernels.h"
#include "simd/vec.h"

namespace netlet {
namespace {

template <class T>
struct Tile {
  // 24 accumulators, of 2 registers a row, where there are 32 registers; 12 where there are 16.
#if defined(NL_SIMD_AVX512) || defined(NL_SIMD_NEON)
  static constexpr int MR = 12;
#else
  static constexpr int MR = 6;
#endif
  static constexpr int NV = 2;
  static constexpr int64_t NR = NV * Vec<T>::lanes;
};

// What all tiles of one block share.
template <class T>
struct TileArgs {
  int64_t k;
  int64_t a_step;  // rows: a[m * a_step + k];  columns: a[m + k * a_step]
  int64_t b_step;  // in place: b[k * b_step + n];  packed: panels of [K][NR], b_step apart
  T* c;
  int64_t ldc;
  const T* bias;  // [N] or null
  T* weights;     // null, or weights <- weights - rate * result, with c's layout; c is then only read
  T rate;
  bool load;  // start from c
  bool relu;
};

enum class ReadA { rows, columns };
enum class ReadB { in_place, packed };

// M rows and V vectors of columns, of which the last holds `tail` lanes if Masked. A packed panel has zeros beyond N.
// The tile begins in column `column` and at element `at` of c; a0 and b0 are its rows and columns of a and b.
template <class T, ReadA A, ReadB B, int M, int V, bool Masked>
static NL_FN void tile(const TileArgs<T>& t, const T* a0, const T* b0, int64_t at, int64_t column,
                       typename Vec<T>::Mask tail) {
  using vec = Vec<T>;
  using S = Tile<T>;
  constexpr int64_t L = vec::lanes;
  auto load = [&](const T* p, int v) {
    return Masked && v == V - 1 ? vec::load(p + v * L, tail) : vec::load(p + v * L);
  };
  auto store = [&](vec x, T* p, int v) {
    if (Masked && v == V - 1)
      x.store(p + v * L, tail);
    else
      x.store(p + v * L);
  };

  T* const c = t.c + at;
  vec acc[M][V];
  if (t.load) {
    NL_UNROLL for (int m = 0; m < M; ++m) NL_UNROLL for (int v = 0; v < V; ++v) acc[m][v] = load(c + m * t.ldc, v);
  } else if (t.bias) {
    NL_UNROLL for (int v = 0; v < V; ++v) {
      const vec start = load(t.bias + column, v);
      NL_UNROLL for (int m = 0; m < M; ++m) acc[m][v] = start;
    }
  } else {
    NL_UNROLL for (int m = 0; m < M; ++m) NL_UNROLL for (int v = 0; v < V; ++v) acc[m][v] = vec(T(0));
  }

  const T* b = b0;
  auto load_b = [&](int v) {
    if constexpr (B == ReadB::in_place)
      return load(b, v);
    else
      return vec::load(b + v / S::NV * t.b_step + v % S::NV * L);
  };
  const int64_t b_next = B == ReadB::in_place ? t.b_step : S::NR;
  const int64_t k_end = t.k;
  const int64_t step = t.a_step;
  if constexpr (A == ReadA::rows) {
    // Three rows a pointer: at 0, step and 2 step from it, which an address can hold.
    constexpr int G = (M + 2) / 3;
    const T* a[G];
    NL_UNROLL for (int g = 0; g < G; ++g) a[g] = a0 + 3 * g * step;
    for (int64_t k = 0; k < k_end; ++k) {
      vec bk[V];
      NL_UNROLL for (int v = 0; v < V; ++v) bk[v] = load_b(v);
      NL_UNROLL for (int m = 0; m < M; ++m) {
        const vec am = vec::all(a[m / 3][m % 3 * step]);
        NL_UNROLL for (int v = 0; v < V; ++v) acc[m][v] = fma(am, bk[v], acc[m][v]);
      }
      NL_UNROLL for (int g = 0; g < G; ++g) a[g] += 1;
      b += b_next;
    }
  } else {
    const T* a = a0;
    for (int64_t k = 0; k < k_end; ++k) {
      vec bk[V];
      NL_UNROLL for (int v = 0; v < V; ++v) bk[v] = load_b(v);
      NL_UNROLL for (int m = 0; m < M; ++m) {
        const vec am = vec::all(a[m]);
        NL_UNROLL for (int v = 0; v < V; ++v) acc[m][v] = fma(am, bk[v], acc[m][v]);
      }
      a += step;
      b += b_next;
    }
  }

  if (t.weights) {
    const vec rate(t.rate);
    NL_UNROLL for (int m = 0; m < M; ++m) NL_UNROLL for (int v = 0; v < V; ++v) {
      T* const w = t.weights + at + m * t.ldc;
      store(fnma(rate, acc[m][v], load(w, v)), w, v);
    }
  } else if (t.relu) {
    NL_UNROLL for (int m = 0; m < M; ++m) NL_UNROLL for (int v = 0; v < V; ++v)
        store(max(vec(T(0)), acc[m][v]), c + m * t.ldc, v);
  } else {
    NL_UNROLL for (int m = 0; m < M; ++m) NL_UNROLL for (int v = 0; v < V; ++v) store(acc[m][v], c + m * t.ldc, v);
  }
}

// M rows by n columns, in tiles of up to V vectors, V a power of two.
template <class T, ReadA A, ReadB B, int M, int V>
static void tile_columns(const TileArgs<T>& t, const T* a, const T* b, int64_t at, int64_t column, int64_t n) {
  constexpr int64_t L = Vec<T>::lanes;
  static_assert(Tile<T>::NV == 2 && V >= 2);
  auto right = [&](int64_t columns) {
    b += B == ReadB::packed ? columns / Tile<T>::NR * t.b_step : columns;
    at += columns;
    column += columns;
    n -= columns;
  };
  while (n >= V * L) tile<T, A, B, M, V, false>(t, a, b, at, column, Vec<T>::first(L)), right(V * L);
  if constexpr (V > 4)
    if (n >= 4 * L) tile<T, A, B, M, 4, false>(t, a, b, at, column, Vec<T>::first(L)), right(4 * L);
  if constexpr (V > 2)
    if (n >= 2 * L) tile<T, A, B, M, 2, false>(t, a, b, at, column, Vec<T>::first(L)), right(2 * L);
  if (n > L)
    tile<T, A, B, M, 2, true>(t, a, b, at, column, Vec<T>::first(n - L));
  else if (n == L)
    tile<T, A, B, M, 1, false>(t, a, b, at, column, Vec<T>::first(L));
  else if (n > 0)
    tile<T, A, B, M, 1, true>(t, a, b, at, column, Vec<T>::first(n));
}

// m rows by n columns. Panels of b stay in the nearest cache while the rows pass by them, MR at a time; the rows that
// are left go in falling powers of two, in wider tiles, so that there are enough chains to fill the pipes.
// a_panel: the distance between panels of MR rows.
template <class T, ReadA A, ReadB B>
static NL_FN void tiles(const TileArgs<T>& t, const T* a, const T* b, int64_t m, int64_t n, int64_t a_panel) {
  using S = Tile<T>;
  constexpr bool many = S::MR > 8;  // registers
  const int64_t whole = m / S::MR;
  if (whole > 0)
    for (int64_t j = 0; j < n; j += S::NR) {
      const T* const panel = b + (B == ReadB::packed ? j / S::NR * t.b_step : j);
      for (int64_t i = 0; i < whole; ++i)
        tile_columns<T, A, B, S::MR, 2>(t, a + i * a_panel, panel, i * S::MR * t.ldc + j, j,
                                        n - j < S::NR ? n - j : S::NR);
    }
  int64_t i = whole * S::MR;
  a += whole * a_panel;
  auto down = [&](int64_t rows) {
    a += A == ReadA::rows ? rows * t.a_step : rows;
    i += rows;
  };
  if (many && m - i >= 8) tile_columns<T, A, B, 8, 2>(t, a, b, i * t.ldc, 0, n), down(8);
  if (m - i >= 4) tile_columns<T, A, B, 4, many ? 4 : 2>(t, a, b, i * t.ldc, 0, n), down(4);
  if (m - i >= 2) tile_columns<T, A, B, 2, many ? 8 : 4>(t, a, b, i * t.ldc, 0, n), down(2);
  if (m - i >= 1) tile_columns<T, A, B, 1, 8>(t, a, b, i * t.ldc, 0, n);
}

}  // namespace
}  // namespace netlet
