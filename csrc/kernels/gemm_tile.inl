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

template <class T>
struct TileArgs {
  int64_t k;
  const T* a;  // rows: a[m * a_step + k];  columns: a[m + k * a_step]
  int64_t a_step;
  const T* b;  // in place: b[k * b_step + n];  packed: panels of [K][NR], b_step apart
  int64_t b_step;
  T* c;
  int64_t ldc;
  const T* bias;  // of these columns, or null
  T* weights;     // null, or weights <- weights - rate * result, with c's layout; c is then only read
  T rate;
  bool load;  // start from c
  bool relu;
};

enum class ReadA { rows, columns };
enum class ReadB { in_place, packed };

// M rows and V vectors of columns, of which the last holds `tail` lanes if Masked. A packed panel has zeros beyond N.
template <class T, ReadA A, ReadB B, int M, int V, bool Masked>
static NL_FN void tile(const TileArgs<T>& t, typename Vec<T>::Mask tail) {
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

  vec acc[M][V];
  if (t.load) {
    NL_UNROLL for (int m = 0; m < M; ++m) NL_UNROLL for (int v = 0; v < V; ++v) acc[m][v] = load(t.c + m * t.ldc, v);
  } else if (t.bias) {
    NL_UNROLL for (int v = 0; v < V; ++v) {
      const vec start = load(t.bias, v);
      NL_UNROLL for (int m = 0; m < M; ++m) acc[m][v] = start;
    }
  }

  const T* b = t.b;
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
    NL_UNROLL for (int g = 0; g < G; ++g) a[g] = t.a + 3 * g * step;
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
    const T* a = t.a;
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
      T* const w = t.weights + m * t.ldc;
      store(fnma(rate, acc[m][v], load(w, v)), w, v);
    }
  } else if (t.relu) {
    NL_UNROLL for (int m = 0; m < M; ++m) NL_UNROLL for (int v = 0; v < V; ++v)
        store(max(vec(T(0)), acc[m][v]), t.c + m * t.ldc, v);
  } else {
    NL_UNROLL for (int m = 0; m < M; ++m) NL_UNROLL for (int v = 0; v < V; ++v) store(acc[m][v], t.c + m * t.ldc, v);
  }
}

template <class T>
static NL_FN void tile_right(TileArgs<T>& t, bool packed, int64_t columns) {
  t.b += packed ? columns / Tile<T>::NR * t.b_step : columns;
  t.c += columns;
  if (t.bias) t.bias += columns;
  if (t.weights) t.weights += columns;
}

// M rows by n columns, in tiles of up to V vectors, V a power of two.
template <class T, ReadA A, ReadB B, int M, int V>
static void tile_columns(TileArgs<T> t, int64_t n) {
  constexpr int64_t L = Vec<T>::lanes;
  constexpr bool packed = B == ReadB::packed;
  static_assert(Tile<T>::NV == 2 && V >= 2);
  while (n >= V * L) {
    tile<T, A, B, M, V, false>(t, Vec<T>::first(L));
    tile_right(t, packed, V * L);
    n -= V * L;
  }
  if constexpr (V > 4)
    if (n >= 4 * L) tile<T, A, B, M, 4, false>(t, Vec<T>::first(L)), tile_right(t, packed, 4 * L), n -= 4 * L;
  if constexpr (V > 2)
    if (n >= 2 * L) tile<T, A, B, M, 2, false>(t, Vec<T>::first(L)), tile_right(t, packed, 2 * L), n -= 2 * L;
  if (n > L)
    tile<T, A, B, M, 2, true>(t, Vec<T>::first(n - L));
  else if (n == L)
    tile<T, A, B, M, 1, false>(t, Vec<T>::first(L));
  else if (n > 0)
    tile<T, A, B, M, 1, true>(t, Vec<T>::first(n));
}

// m rows by n columns. Panels of b stay in the nearest cache while the rows pass by them, MR at a time; the rows that
// are left go in falling powers of two, in wider tiles, so that there are enough chains to fill the pipes.
// a_panel: the distance between panels of MR rows where a is packed, else 0.
template <class T, ReadA A, ReadB B>
static void tiles(TileArgs<T> t, int64_t m, int64_t n, int64_t a_panel) {
  using S = Tile<T>;
  const int64_t whole = m / S::MR;
  auto down = [](TileArgs<T>& at, int64_t rows, int64_t panel) {
    at.a += panel ? panel : A == ReadA::rows ? rows * at.a_step : rows;
    at.c += rows * at.ldc;
    if (at.weights) at.weights += rows * at.ldc;
  };
  if (whole > 0) {
    TileArgs<T> column = t;
    for (int64_t j = 0; j < n; j += S::NR) {
      const int64_t width = n - j < S::NR ? n - j : S::NR;
      TileArgs<T> at = column;
      for (int64_t i = 0; i < whole; ++i) {
        tile_columns<T, A, B, S::MR, 2>(at, width);
        down(at, S::MR, a_panel);
      }
      tile_right(column, B == ReadB::packed, width < S::NR ? 0 : width);
    }
    for (int64_t i = 0; i < whole; ++i) down(t, S::MR, a_panel);
  }
  constexpr bool many = S::MR > 8;  // registers
  int64_t left = m - whole * S::MR;
  if (many && left >= 8) tile_columns<T, A, B, 8, 2>(t, n), down(t, 8, 0), left -= 8;
  if (left >= 4) tile_columns<T, A, B, 4, many ? 4 : 2>(t, n), down(t, 4, 0), left -= 4;
  if (left >= 2) tile_columns<T, A, B, 2, many ? 8 : 4>(t, n), down(t, 2, 0), left -= 2;
  if (left >= 1) tile_columns<T, A, B, 1, 8>(t, n);
}

}  // namespace
}  // namespace netlet
