// GEMM of one row, c[N] = init + a[K] b[K,N], as serving asks for it: gemm's tile, only wider.
//
// With one row nothing is loaded twice: the latency of the chains is what limits it, so as many run beside each other
// as hide it. Each chain is the one that gemm would run, and so are the bits.
#pragma once

#include "kernels/gemm.inl"

namespace netlet {
namespace {

inline constexpr int kRowVectors =
    8;  // two fused multiply-adds a cycle, each of 4 cycles; in 16 registers there is room

// n columns, 1 .. kRowVectors vectors of them, in one tile of the fewest vectors that hold them.
template <class T, int V = 1>
static void row_tile(const TileArgs<T>& t, int64_t n) {
  constexpr int64_t L = Vec<T>::lanes;
  if (n == V * L) {
    tile<T, 1, V, false>(t, Vec<T>::first(L));
  } else if (n < V * L) {
    tile<T, 1, V, true>(t, Vec<T>::first(n - (V - 1) * L));
  } else if constexpr (V < kRowVectors) {
    row_tile<T, V + 1>(t, n);
  }
}

template <class T>
static void gemv(const GemmArgs<T>& g) {
  constexpr int64_t most = kRowVectors * Vec<T>::lanes;
  TileArgs<T> t{g.k, g.a, g.a_row, g.a_col, g.b, g.b_row, g.c, g.ldc, g.bias, g.accumulate, g.relu};
  for (int64_t left = g.n; left > 0; left -= most) {
    row_tile<T>(t, left < most ? left : most);
    t.b += most;
    t.c += most;
    if (t.bias) t.bias += most;
  }
}

// What the table calls `gemm`.
template <class T>
static void gemm_of_any_rows(const GemmArgs<T>& g) {
  if (g.m == 1 && g.b_col == 1)
    gemv(g);
  else
    gemm(g);
}

}  // namespace
}  // namespace netlet
