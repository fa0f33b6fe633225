// GEMM where c has no more columns than a register: as many rows as fill the pipes, one register each.
//
// c is computed in half registers, where an ISA issues more of those in a cycle, if they are wide enough: of a whole
// one half the lanes would be wasted. Each element is the chain that it is in `tile`.
#pragma once

#include <type_traits>

#include "kernels/gemm_tile.inl"

namespace netlet {
namespace {

// M rows of c from element `at` on, of n <= V::lanes columns: all lanes if not Masked. a[m * a_row + k * a_col],
// b[k * b_row + j]; a packed b has zeros beyond n.
template <class V, ReadB B, int M, bool Masked, class T>
static NL_FN void narrow_tile(const TileArgs<T>& t, int64_t a_row, int64_t a_col, int64_t b_row, const T* a0,
                              const T* b, int64_t at, typename V::Mask columns) {
  auto load = [&](const T* p) { return Masked ? V::load(p, columns) : V::load(p); };
  auto store = [&](V x, T* p) {
    if (Masked)
      x.store(p, columns);
    else
      x.store(p);
  };
  T* const c = t.c + at;
  V acc[M];
  if (t.load) {
    NL_UNROLL for (int m = 0; m < M; ++m) acc[m] = load(c + m * t.ldc);
  } else {
    const V start = t.bias ? load(t.bias) : V(T(0));
    NL_UNROLL for (int m = 0; m < M; ++m) acc[m] = start;
  }

  // Three rows a pointer: at 0, a_row and 2 a_row from it, which an address can hold.
  constexpr int G = (M + 2) / 3;
  const T* a[G];
  NL_UNROLL for (int g = 0; g < G; ++g) a[g] = a0 + 3 * g * a_row;
  for (int64_t k = 0; k < t.k; ++k) {
    const V bk = B == ReadB::packed ? V::load(b) : load(b);
    NL_UNROLL for (int m = 0; m < M; ++m) acc[m] = fma(V::all(a[m / 3][m % 3 * a_row]), bk, acc[m]);
    NL_UNROLL for (int g = 0; g < G; ++g) a[g] += a_col;
    b += b_row;
  }

  if (t.weights) {
    const V rate(t.rate);
    T* const w = t.weights + at;
    NL_UNROLL for (int m = 0; m < M; ++m) store(fnma(rate, acc[m], load(w + m * t.ldc)), w + m * t.ldc);
  } else if (t.relu) {
    NL_UNROLL for (int m = 0; m < M; ++m) store(max(V(T(0)), acc[m]), c + m * t.ldc);
  } else {
    NL_UNROLL for (int m = 0; m < M; ++m) store(acc[m], c + m * t.ldc);
  }
}

template <class V, ReadB B, bool Masked, class T>
static void narrow_rows(const TileArgs<T>& t, int64_t a_row, int64_t a_col, int64_t b_row, const T* a, const T* b,
                        int64_t m, int64_t n) {
  const auto columns = V::first(n);
  int64_t i = 0;
  auto rows = [&](auto count) {
    narrow_tile<V, B, count, Masked>(t, a_row, a_col, b_row, a + i * a_row, b, i * t.ldc, columns);
    i += count;
  };
  while (m - i >= 12) rows(std::integral_constant<int, 12>());
  if (m - i >= 8) rows(std::integral_constant<int, 8>());
  if (m - i >= 6) rows(std::integral_constant<int, 6>());
  if (m - i >= 4) rows(std::integral_constant<int, 4>());
  if (m - i >= 2) rows(std::integral_constant<int, 2>());
  if (m - i >= 1) rows(std::integral_constant<int, 1>());
}

// m rows by n <= Vec<T>::lanes columns. Fewer than 6 rows take as long in `tiles`: a chain's latency.
template <class T>
static NL_APART void narrow(const TileArgs<T>& t, int64_t a_row, int64_t a_col, bool b_packed, int64_t b_row,
                            const T* a, const T* b, int64_t m, int64_t n) {
  auto run = [&](auto zero) {  // zero: of the type of the registers
    using V = decltype(zero);
    if (n == V::lanes)  // either way of reading b
      narrow_rows<V, ReadB::packed, false>(t, a_row, a_col, b_row, a, b, m, n);
    else if (b_packed)
      narrow_rows<V, ReadB::packed, true>(t, a_row, a_col, b_row, a, b, m, n);
    else
      narrow_rows<V, ReadB::in_place, true>(t, a_row, a_col, b_row, a, b, m, n);
  };
  if (n <= Half<T>::lanes)
    run(Half<T>());
  else
    run(Vec<T>());
}

}  // namespace
}  // namespace netlet
