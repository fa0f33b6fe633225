// GEMM: c[M,N] = init + a[M,K] b[K,N], written once over Vec for every ISA.
//
// The loops around the register tile are those of Goto & van de Geijn, "Anatomy of High-Performance Matrix
// Multiplication" (2008); Van Zee & van de Geijn, "BLIS" (2015), gave them their names: MC KC NC. Operands are read in
// place where that is as fast, else from packed panels.
//
// Each element of c is one chain of fused multiply-adds over k = 0..K-1, begun from its init. Tiles, panels, blocks
// of K (the chain continues from c) and threads only cut between elements, so none of them can change a bit.
#pragma once

#include "kernels/gemm_narrow.inl"
#include "kernels/gemm_pack.inl"

namespace netlet {
namespace {

template <class T>
struct Block {
  static constexpr int64_t KC = sizeof(T) == 4 ? 512 : 256;  // panels of a and b stream from L2; c is seldom reread
  static constexpr int64_t MC = 192;                         // a block of a, MC x KC, stays in L2
  static constexpr int64_t NC = 2048;                        // a block of b, KC x NC, stays in L3
  static_assert(MC % Tile<T>::MR == 0 && NC % Tile<T>::NR == 0);
};

// K in the fewest blocks of at most KC, all about as long.
template <class T>
static NL_FN int64_t block_of_k(int64_t k) {
  const int64_t blocks = (k + Block<T>::KC - 1) / Block<T>::KC;
  return blocks <= 1 ? k : (k + blocks - 1) / blocks;
}

template <class T>
static NL_FN int64_t whole_panels(int64_t n, int64_t panel) {
  return (n + panel - 1) / panel * panel;
}

// b is packed where its columns are strided, and where enough rows of a use it to pay for the copy.
template <class T>
static bool packs_b(const GemmArgs<T>& g) {
  if (g.packed_b) return false;
  if (g.b_col != 1) return true;
  return g.m >= 16 * Tile<T>::MR && g.k >= 32 && g.n >= 2 * Tile<T>::NR;
}

// a is packed where reading it in place would fill a few sets of the cache, or where many panels of b use it: fewer
// where a lies by columns and a step of the tile reads less than half a cache line of each.
template <class T>
static bool packs_a(const GemmArgs<T>& g) {
  if (g.n < 4 * Tile<T>::NR || g.m < Tile<T>::MR || g.k < 32) return false;
  const int64_t step = (g.a_row == 1 ? g.a_col : g.a_row) * static_cast<int64_t>(sizeof(T));
  const bool crumbs = g.a_row == 1 && Tile<T>::MR * sizeof(T) <= 32;
  return step % 1024 == 0 || g.n >= (crumbs ? 384 : 1024);
}

template <class T>
static bool gemm_packs(const GemmArgs<T>& g) {
  return g.k > 0 && (packs_a(g) || packs_b(g));
}

// Elements of the packed block of a, for this size; that of b follows it.
template <class T>
static int64_t scratch_a(int64_t m, int64_t k) {
  const int64_t rows = m < Block<T>::MC ? whole_panels<T>(m, Tile<T>::MR) : Block<T>::MC;
  return whole_panels<T>(rows * (k < Block<T>::KC ? k : Block<T>::KC), 16);  // keeps what follows aligned
}

template <class T>
static int64_t gemm_scratch(int64_t m, int64_t n, int64_t k) {
  const int64_t columns = n < Block<T>::NC ? whole_panels<T>(n, Tile<T>::NR) : Block<T>::NC;
  return scratch_a<T>(m, k) + columns * (k < Block<T>::KC ? k : Block<T>::KC);
}

// The whole of b in the form that GemmArgs::packed_b takes: blocks of K, each with all its panels.
template <class T>
static int64_t gemm_packed_size(int64_t n, int64_t k) {
  return k * whole_panels<T>(n, Tile<T>::NR);
}

template <class T>
static void gemm_pack(int64_t k, int64_t n, const T* b, int64_t b_row, int64_t b_col, T* to) {
  const int64_t kc = block_of_k<T>(k), width = whole_panels<T>(n, Tile<T>::NR);
  for (int64_t pc = 0; pc < k; pc += kc)
    pack_b<T>(k - pc < kc ? k - pc : kc, n, b + pc * b_row, b_row, b_col, to + pc * width);
}

template <class T>
static NL_FN void tiles_of(const TileArgs<T>& t, bool a_rows, bool b_packed, const T* a, const T* b, int64_t m,
                           int64_t n, int64_t a_panel) {
  if (a_rows && b_packed)
    tiles<T, ReadA::rows, ReadB::packed>(t, a, b, m, n, a_panel);
  else if (a_rows)
    tiles<T, ReadA::rows, ReadB::in_place>(t, a, b, m, n, a_panel);
  else if (b_packed)
    tiles<T, ReadA::columns, ReadB::packed>(t, a, b, m, n, a_panel);
  else
    tiles<T, ReadA::columns, ReadB::in_place>(t, a, b, m, n, a_panel);
}

template <class T>
static void gemm(const GemmArgs<T>& g) {
  using S = Block<T>;
  const bool pack_b_now = g.k > 0 && packs_b(g), pack_a_now = g.k > 0 && packs_a(g);
  const bool b_packed = pack_b_now || g.packed_b, a_rows = g.a_col == 1 && !pack_a_now;
  T* const a_block = g.scratch;
  T* const b_block = pack_a_now ? g.scratch + scratch_a<T>(g.m, g.k) : g.scratch;
  const int64_t kc_most = block_of_k<T>(g.k);

  TileArgs<T> t;
  t.ldc = g.ldc;
  t.rate = g.rate;
  t.a_step = pack_a_now ? Tile<T>::MR : a_rows ? g.a_row : g.a_col;
  for (int64_t jc = 0; jc < g.n; jc += S::NC) {
    const int64_t nc = g.n - jc < S::NC ? g.n - jc : S::NC;
    int64_t pc = 0;
    do {  // once where k = 0
      const int64_t kc = g.k - pc < kc_most ? g.k - pc : kc_most;
      const bool first = pc == 0, last = pc + kc >= g.k;
      t.k = kc;
      t.bias = first && g.bias ? g.bias + jc : nullptr;
      t.load = !first || g.accumulate;
      t.relu = last && g.relu;
      t.b_step = b_packed ? kc * Tile<T>::NR : g.b_row;
      const T* b = g.b + pc * g.b_row + jc * g.b_col;
      if (pack_b_now) {
        pack_b<T>(kc, nc, b, g.b_row, g.b_col, b_block);
        b = b_block;
      } else if (g.packed_b) {
        b = g.packed_b + pc * whole_panels<T>(g.packed_n, Tile<T>::NR) + (g.packed_from + jc) * kc;
      }
      for (int64_t ic = 0; ic < g.m; ic += S::MC) {
        const int64_t mc = g.m - ic < S::MC ? g.m - ic : S::MC;
        const T* a = g.a + ic * g.a_row + pc * g.a_col;
        if (pack_a_now) {
          pack_a<T>(mc, kc, a, g.a_row, g.a_col, a_block);
          a = a_block;
        }
        t.c = g.c + ic * g.ldc + jc;
        t.weights = last && g.weights ? g.weights + ic * g.ldc + jc : nullptr;
        if (g.n <= Vec<T>::lanes && g.m >= 6)  // a is read in place
          narrow<T>(t, g.a_row, g.a_col, b_packed, b_packed ? Tile<T>::NR : g.b_row, a, b, mc, nc);
        else
          tiles_of<T>(t, a_rows, b_packed, a, b, mc, nc, Tile<T>::MR * (pack_a_now ? kc : g.a_row));
      }
      pc += kc;
    } while (pc < g.k);
  }
}

}  // namespace
}  // namespace netlet
