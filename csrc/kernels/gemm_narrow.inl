// GEMM where c has no more columns than a register: as many rows as fill the pipes, one register each.
//
// c is computed in half registers, where an ISA issues more of those in a cycle, if they are wide enough: of a whole
// one half the lanes would be wasted. Each element is the chain that it is in `tile`.
#pragma once

#include <utility>

#include "kernels/gemm_tile.inl"

namespace netlet {
namespace {

// The rows M of c from element `at` on, of n <= V::lanes columns: all lanes if not Masked. a[m * a_row + k * a_col],
// b[k * b_row + j]; a packed b has zeros beyond n.
//
// Rows are written out as a pack: where an array's elements are constructed in a loop, GCC 12 may unroll that too late,
// and then keeps the array in memory beside its registers, at a store for each multiply-add.
template <class V, ReadB B, bool Masked, class T, int... M>
static NL_FN void narrow_tile(const TileArgs<T>& t, int64_t a_row, int64_t a_col, int64_t b_row, const T* a0,
                              const T* b, int64_t at, typename V::Mask columns, std::integer_sequence<int, M...>) {
  auto load = [&](const T* p) { return Masked ? V::load(p, columns) : V::load(p); };
  auto store = [&](V x, T* p) {
    if (Masked)
      x.store(p, columns);
    else
      x.store(p);
  };
  T* const c = t.c + at;
  const V start = t.bias ? load(t.bias) : V(T(0));
  V acc[] = {((void)M, start)...};
  if (t.load) ((acc[M] = load(c + M * t.ldc)), ...);

  // Three rows a pointer: at 0, a_row and 2 a_row from it, which an address can hold.
  const T* a[] = {a0 + M / 3 * 3 * a_row...};
  for (int64_t k = 0; k < t.k; ++k) {
    const V bk = B == ReadB::packed ? V::load(b) : load(b);
    ((acc[M] = fma(V::all(a[M / 3 * 3][M % 3 * a_row]), bk, acc[M])), ...);
    ((a[M] += M % 3 == 0 ? a_col : 0), ...);
    b += b_row;
  }

  if (t.weights) {
    const V rate(t.rate);
    T* const w = t.weights + at;
    (store(fnma(rate, acc[M], load(w + M * t.ldc)), w + M * t.ldc), ...);
  } else if (t.relu) {
    (store(max(V(T(0)), acc[M]), c + M * t.ldc), ...);
  } else {
    (store(acc[M], c + M * t.ldc), ...);
  }
}

template <class V, ReadB B, bool Masked, class T>
static void narrow_rows(const TileArgs<T>& t, int64_t a_row, int64_t a_col, int64_t b_row, const T* a, const T* b,
                        int64_t m, int64_t n) {
  const auto columns = V::first(n);
  int64_t i = 0;
  auto rows = [&](auto count) {
    narrow_tile<V, B, Masked>(t, a_row, a_col, b_row, a + i * a_row, b, i * t.ldc, columns, count);
    i += static_cast<int64_t>(count.size());
  };
  while (m - i >= 12) rows(std::make_integer_sequence<int, 12>());
  if (m - i >= 8) rows(std::make_integer_sequence<int, 8>());
  if (m - i >= 6) rows(std::make_integer_sequence<int, 6>());
  if (m - i >= 4) rows(std::make_integer_sequence<int, 4>());
  if (m - i >= 2) rows(std::make_integer_sequence<int, 2>());
  if (m - i >= 1) rows(std::make_integer_sequence<int, 1>());
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
