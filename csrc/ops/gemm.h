// GEMM over threads: c is cut into a grid of rectangles, each the work of one thread.
#pragma once

#include "ops/op.h"

namespace netlet {

inline constexpr int64_t kGemmWorth = 1 << 18;  // multiply-adds below which handing over costs more than it gains

// Elements of scratch one thread may need for this product, however it is cut.
template <class T>
int64_t gemm_scratch(const Kernels<T>& kernels, const GemmArgs<T>& g) {
  return kernels.gemm_packs(g) ? kernels.gemm_scratch(g.m, g.n, g.k) : 0;
}

template <class T>
void gemm(const Run<T>& run, GemmArgs<T> g) {
  const Kernels<T>& kernels = run.kernels;
  g.scratch = run.scratch;
  if (run.threads <= 1 || g.m * g.n * g.k < kGemmWorth) return kernels.gemm(g);

  // Every thread packs its own operands: of all grids, take the one that reads least.
  const int64_t row_tiles = (g.m + kernels.mr - 1) / kernels.mr, column_tiles = (g.n + kernels.nr - 1) / kernels.nr;
  int64_t best_rows = 0, best_columns = 0;
  double best = 0;
  for (int64_t rows = 1; rows <= run.threads; ++rows) {
    const int64_t columns = run.threads / rows;
    if (rows > row_tiles || columns > column_tiles) continue;
    // Tiles of the largest rectangle, which everyone waits for, and what is packed for it.
    const int64_t r = (row_tiles + rows - 1) / rows, c = (column_tiles + columns - 1) / columns;
    const double cost = static_cast<double>(r * kernels.mr) * static_cast<double>(c * kernels.nr) +
                        4.0 * static_cast<double>(r * kernels.mr + c * kernels.nr);
    if (best_rows == 0 || cost < best) best = cost, best_rows = rows, best_columns = columns;
  }
  if (best_rows == 0) best_rows = row_tiles < run.threads ? row_tiles : run.threads, best_columns = 1;

  parallel_for(best_rows * best_columns, run.threads, [&](int64_t part) noexcept {
    const int64_t row = part / best_columns, column = part % best_columns;
    const int64_t m0 = row_tiles * row / best_rows * kernels.mr, n0 = column_tiles * column / best_columns * kernels.nr;
    int64_t m1 = row_tiles * (row + 1) / best_rows * kernels.mr;
    int64_t n1 = column_tiles * (column + 1) / best_columns * kernels.nr;
    if (m1 > g.m) m1 = g.m;
    if (n1 > g.n) n1 = g.n;
    GemmArgs<T> piece = g;
    piece.m = m1 - m0;
    piece.n = n1 - n0;
    piece.a += m0 * g.a_row;
    piece.b += n0 * g.b_col;
    piece.c += m0 * g.ldc + n0;
    if (g.bias) piece.bias += n0;
    if (g.weights) piece.weights += m0 * g.ldc + n0;
    if (g.packed_b) piece.packed_from += n0;
    piece.scratch = run.scratch + part * run.scratch_stride;
    if (piece.m > 0 && piece.n > 0) kernels.gemm(piece);
  });
}

}  // namespace netlet
