// GEMM: c[M,N] = init + a[M,K] b[K,N], written once over Vec for every ISA.
//
// One register tile of MR x (NV vectors) serves all uses: operands are read in place through their strides, or, for
// large ones, from packed panels (a panel is only another stride). Goto & van de Geijn, "Anatomy of High-Performance
// Matrix Multiplication" (2008), gives the loops around it; Van Zee & van de Geijn, "BLIS" (2015), the names MC KC NC.
//
// Each element of c is one chain of fused multiply-adds over k = 0..K-1, begun from its init. Tiles, panels, blocks
// of KC (the chain continues from c) and threads only cut between elements, so none of them can change a bit.
#pragma once

#include "kernels/kernels.h"
#include "simd/vec.h"

namespace netlet {
namespace {

template <class T>
struct Tile {
  // 24 accumulators where there are 32 registers, 12 where there are 16.
#if defined(NL_SIMD_AVX512) || defined(NL_SIMD_NEON)
  static constexpr int MR = 12;
#else
  static constexpr int MR = 6;
#endif
  static constexpr int NV = 2;
  static constexpr int64_t NR = NV * Vec<T>::lanes;
  static constexpr int64_t KC = 256;                              // a panel of b, KC x NR, stays in L1
  static constexpr int64_t MC = MR * (sizeof(T) == 4 ? 24 : 12);  // a block of a, MC x KC, stays in L2
  static constexpr int64_t NC = 2048;                             // a block of b, KC x NC, stays in L3
};

template <class T>
struct TileArgs {
  int64_t k;
  const T* a;
  int64_t a_row, a_col;
  const T* b;
  int64_t b_row;
  T* c;
  int64_t ldc;
  const T* bias;  // of these columns, or null
  bool load;      // init is c
  bool relu;
};

// One tile of M rows and V vectors of columns, of which the last holds `tail` lanes if Masked.
template <class T, int M, int V, bool Masked>
static NL_FN void tile(const TileArgs<T>& t, typename Vec<T>::Mask tail) {
  using vec = Vec<T>;
  constexpr int64_t L = vec::lanes;
  vec acc[M][V];
  auto load = [&](const T* p, int v) {
    return Masked && v == V - 1 ? vec::load(p + v * L, tail) : vec::load(p + v * L);
  };
  for (int v = 0; v < V; ++v) {
    const vec init = t.bias ? load(t.bias, v) : vec(T(0));
    for (int m = 0; m < M; ++m) acc[m][v] = t.load ? load(t.c + m * t.ldc, v) : init;
  }
  const T* a = t.a;
  const T* b = t.b;
  for (int64_t k = 0; k < t.k; ++k, a += t.a_col, b += t.b_row) {
    vec bk[V];
    for (int v = 0; v < V; ++v) bk[v] = load(b, v);
    for (int m = 0; m < M; ++m) {
      const vec am = vec::all(a[m * t.a_row]);
      for (int v = 0; v < V; ++v) acc[m][v] = fma(am, bk[v], acc[m][v]);
    }
  }
  for (int m = 0; m < M; ++m)
    for (int v = 0; v < V; ++v) {
      const vec y = t.relu ? max(vec(T(0)), acc[m][v]) : acc[m][v];
      if (Masked && v == V - 1)
        y.store(t.c + m * t.ldc + v * L, tail);
      else
        y.store(t.c + m * t.ldc + v * L);
    }
}

// `tile` for n <= NR columns.
template <class T, int M>
static void tile_columns(const TileArgs<T>& t, int64_t n) {
  constexpr int64_t L = Vec<T>::lanes;
  static_assert(Tile<T>::NV == 2);
  if (n == 2 * L)
    tile<T, M, 2, false>(t, Vec<T>::first(L));
  else if (n > L)
    tile<T, M, 2, true>(t, Vec<T>::first(n - L));
  else if (n == L)
    tile<T, M, 1, false>(t, Vec<T>::first(L));
  else
    tile<T, M, 1, true>(t, Vec<T>::first(n));
}

// All of m rows by n <= NR columns: whole tiles of MR rows, then what is left in falling powers of two.
// a_panel is the distance between row panels of MR: MR * a_row in place, MR * K where a is packed.
template <class T>
static void tile_rows(TileArgs<T> t, int64_t m, int64_t n, int64_t a_panel) {
  constexpr int MR = Tile<T>::MR;
  auto down = [&](int rows) {
    t.a += rows * t.a_row;
    t.c += rows * t.ldc;
    m -= rows;
  };
  while (m >= MR) {
    tile_columns<T, MR>(t, n);
    t.a += a_panel;
    t.c += MR * t.ldc;
    m -= MR;
  }
  if (MR > 8 && m >= 8) tile_columns<T, 8>(t, n), down(8);
  if (m >= 4) tile_columns<T, 4>(t, n), down(4);
  if (m >= 2) tile_columns<T, 2>(t, n), down(2);
  if (m >= 1) tile_columns<T, 1>(t, n);
}

// a[M,K] with any strides -> panels of MR rows, each [K][MR]; rows beyond M stay unwritten and are never read.
template <class T>
static void pack_a(int64_t m, int64_t k, const T* a, int64_t row, int64_t col, T* to) {
  constexpr int64_t MR = Tile<T>::MR;
  for (int64_t i = 0; i < m; i += MR, to += MR * k) {
    const int64_t rows = m - i < MR ? m - i : MR;
    const T* from = a + i * row;
    if (row == 1) {
      for (int64_t p = 0; p < k; ++p)
        for (int64_t r = 0; r < rows; ++r) to[p * MR + r] = from[p * col + r];
    } else {
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t p = 0; p < k; ++p) to[p * MR + r] = from[r * row + p * col];
    }
  }
}

// b[K,N] with any strides -> panels of NR columns, each [K][NR]; columns beyond N stay unwritten and are never read.
template <class T>
static void pack_b(int64_t k, int64_t n, const T* b, int64_t row, int64_t col, T* to) {
  constexpr int64_t NR = Tile<T>::NR;
  constexpr int64_t L = Vec<T>::lanes;
  for (int64_t j = 0; j < n; j += NR, to += NR * k) {
    const int64_t columns = n - j < NR ? n - j : NR;
    const T* from = b + j * col;
    if (col == 1 && columns == NR) {
      for (int64_t p = 0; p < k; ++p)
        for (int64_t v = 0; v < NR; v += L) Vec<T>::load(from + p * row + v).store(to + p * NR + v);
    } else {
      // Squares of 16 keep both sides' cache lines while they are half used.
      for (int64_t p0 = 0; p0 < k; p0 += 16)
        for (int64_t c = 0; c < columns; ++c)
          for (int64_t p = p0; p < k && p < p0 + 16; ++p) to[p * NR + c] = from[p * row + c * col];
    }
  }
}

// Packing pays when every packed element is used often enough, and is a must where b's columns are strided.
template <class T>
static bool gemm_packs(const GemmArgs<T>& g) {
  if (g.b_col != 1) return true;
  return g.m >= 2 * Tile<T>::MR && g.k >= 64 && g.n >= 2 * Tile<T>::NR && g.m * g.n * g.k >= 128 * 128 * 128;
}

// Elements of the packed block of a, for this size; that of b follows it.
template <class T>
static int64_t gemm_scratch_a(int64_t m, int64_t k) {
  const int64_t rows = m < Tile<T>::MC ? (m + Tile<T>::MR - 1) / Tile<T>::MR * Tile<T>::MR : Tile<T>::MC;
  return (rows * (k < Tile<T>::KC ? k : Tile<T>::KC) + 15) / 16 * 16;  // keeps what follows aligned
}

template <class T>
static int64_t gemm_scratch(int64_t m, int64_t n, int64_t k) {
  const int64_t columns = n < Tile<T>::NC ? (n + Tile<T>::NR - 1) / Tile<T>::NR * Tile<T>::NR : Tile<T>::NC;
  return gemm_scratch_a<T>(m, k) + columns * (k < Tile<T>::KC ? k : Tile<T>::KC);
}

template <class T>
static void gemm_in_place(const GemmArgs<T>& g) {
  constexpr int64_t NR = Tile<T>::NR;
  for (int64_t j = 0; j < g.n; j += NR) {
    const TileArgs<T> t{
        g.k,          g.a,   g.a_row, g.a_col, g.b + j, g.b_row, g.c + j, g.ldc, g.bias ? g.bias + j : nullptr,
        g.accumulate, g.relu};
    tile_rows<T>(t, g.m, g.n - j < NR ? g.n - j : NR, Tile<T>::MR * g.a_row);
  }
}

template <class T>
static void gemm_packed(const GemmArgs<T>& g) {
  using S = Tile<T>;
  T* const a_block = g.scratch;
  T* const b_block = g.scratch + gemm_scratch_a<T>(g.m, g.k);
  for (int64_t jc = 0; jc < g.n; jc += S::NC) {
    const int64_t nc = g.n - jc < S::NC ? g.n - jc : S::NC;
    for (int64_t pc = 0; pc < g.k; pc += S::KC) {
      const int64_t kc = g.k - pc < S::KC ? g.k - pc : S::KC;
      const bool first = pc == 0, last = pc + kc == g.k;
      pack_b<T>(kc, nc, g.b + pc * g.b_row + jc * g.b_col, g.b_row, g.b_col, b_block);
      for (int64_t ic = 0; ic < g.m; ic += S::MC) {
        const int64_t mc = g.m - ic < S::MC ? g.m - ic : S::MC;
        pack_a<T>(mc, kc, g.a + ic * g.a_row + pc * g.a_col, g.a_row, g.a_col, a_block);
        for (int64_t j = 0; j < nc; j += S::NR) {
          const TileArgs<T> t{kc,
                              a_block,
                              1,
                              S::MR,
                              b_block + j * kc,
                              S::NR,
                              g.c + ic * g.ldc + jc + j,
                              g.ldc,
                              first && g.bias ? g.bias + jc + j : nullptr,
                              !first || g.accumulate,
                              last && g.relu};
          tile_rows<T>(t, mc, nc - j < S::NR ? nc - j : S::NR, S::MR * kc);
        }
      }
    }
  }
}

template <class T>
static void gemm(const GemmArgs<T>& g) {
  if (g.k > 0 && gemm_packs(g))
    gemm_packed(g);
  else
    gemm_in_place(g);
}

}  // namespace
}  // namespace netlet
