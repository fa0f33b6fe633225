// The most floating-point operations that this instruction set does: multiply-adds on registers alone.
//
// As many independent chains as hide the latency of one (4 or 5 cycles, two a cycle) and fit the registers: those of
// gemm's tile. Without a fused multiply-add (baseline) each is a product and a sum, as everywhere.
#pragma once

#include "kernels/kernels.h"
#include "simd/vec.h"

namespace netlet {
namespace {

template <class T>
struct Peak {
#if defined(NL_SIMD_AVX512) || defined(NL_SIMD_NEON)
  static constexpr int rows = 12;
#else
  static constexpr int rows = 6;
#endif
  static constexpr int64_t flops = 2 * rows * 2 * Vec<T>::lanes;
};

// Each chain is a <- a x + y, `rounds` times from a start of its own; returns the sum of all elements, so that none
// can be left out. With |x| < 1 they stay finite and normal.
template <class T>
static T fma_peak(int64_t rounds, T x, T y) {
  using vec = Vec<T>;
  constexpr int M = Peak<T>::rows;
  const vec factor(x), term(y);
  vec a[M][2];  // not [2 M]: GCC unrolls no loop of more than 16 turns, and keeps an array in registers only unrolled
  for (int m = 0; m < M; ++m)
    for (int v = 0; v < 2; ++v) a[m][v] = vec(y + T(2 * m + v));
  for (int64_t r = 0; r < rounds; ++r)
    for (int m = 0; m < M; ++m)
      for (int v = 0; v < 2; ++v) a[m][v] = fma(a[m][v], factor, term);
  vec sum(T(0));
  for (int m = 0; m < M; ++m)
    for (int v = 0; v < 2; ++v) sum += a[m][v];
  return reduce_add(sum);
}

}  // namespace
}  // namespace netlet
