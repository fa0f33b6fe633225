// Dense layers of a few inputs and no more outputs than a register holds: all weights stay in registers while the rows
// pass by. What GEMM and its kin would spend on choosing a way is more than such a layer takes. Each element is the
// same chain, over inputs or over rows, that it is there.
#pragma once

#include <type_traits>

#include "kernels/kernels.h"
#include "simd/vec.h"

namespace netlet {
namespace {

inline constexpr int kFewInputs = 8;

// f(std::integral_constant<int, inputs>), inputs = 1 .. kFewInputs.
template <class F>
static NL_FN void with_inputs(int64_t inputs, F f) {
  switch (inputs) {
#define NL_CASE(n) \
  case n:          \
    return f(std::integral_constant<int, n>());
    NL_CASE(1)
    NL_CASE(2)
    NL_CASE(3)
    NL_CASE(4)
    NL_CASE(5)
    NL_CASE(6)
    NL_CASE(7)
    NL_CASE(8)
#undef NL_CASE
  }
  static_assert(kFewInputs == 8);
}

// y[R,O] <- bias[O] (or 0) + x[R,I] w[I,O], and max(0, y) where relu.
template <class T>
static void few_forward(int64_t rows, int64_t inputs, int64_t outputs, const T* x, const T* w, const T* bias, bool relu,
                        T* y) {
  using vec = Vec<T>;
  const auto mask = vec::first(outputs);
  with_inputs(inputs, [&](auto count) {
    constexpr int I = count;
    vec wk[I];
    NL_UNROLL for (int k = 0; k < I; ++k) wk[k] = vec::load(w + k * outputs, mask);
    const vec start = bias ? vec::load(bias, mask) : vec(T(0));
    for (int64_t r = 0; r < rows; ++r, x += I, y += outputs) {
      vec sum = start;
      NL_UNROLL for (int k = 0; k < I; ++k) sum = fma(vec::all(x[k]), wk[k], sum);
      if (relu) sum = max(vec(T(0)), sum);
      sum.store(y, mask);
    }
  });
}

// dw[I,O] <- (accumulate ? dw : 0) + x[R,I]' dz[R,O], and dbias[O] likewise, unless null, the sums of dz. Where weights
// aren't null, they and bias make the step of gradient descent instead, - rate * gradient, and nothing else is written.
template <class T>
static void few_gradients(const FewGradients<T>& g) {
  using vec = Vec<T>;
  const auto mask = vec::first(g.outputs);
  with_inputs(g.inputs, [&](auto count) {
    constexpr int I = count;
    const T* x = g.x;
    const T* dz = g.dz;
    vec sum[I], all = g.accumulate && g.dbias ? vec::load(g.dbias, mask) : vec(T(0));
    NL_UNROLL for (int k = 0; k < I; ++k) sum[k] = g.accumulate ? vec::load(g.dw + k * g.outputs, mask) : vec(T(0));
    for (int64_t r = 0; r < g.rows; ++r, x += I, dz += g.outputs) {
      const vec d = vec::load(dz, mask);
      NL_UNROLL for (int k = 0; k < I; ++k) sum[k] = fma(vec::all(x[k]), d, sum[k]);
      all = all + d;
    }
    if (g.weights) {
      const vec rate(g.rate);
      NL_UNROLL for (int k = 0; k < I; ++k) {
        T* const w = g.weights + k * g.outputs;
        fnma(rate, sum[k], vec::load(w, mask)).store(w, mask);
      }
      if (g.dbias) fnma(rate, all, vec::load(g.bias, mask)).store(g.bias, mask);
    } else {
      NL_UNROLL for (int k = 0; k < I; ++k) sum[k].store(g.dw + k * g.outputs, mask);
      if (g.dbias) all.store(g.dbias, mask);
    }
  });
}

}  // namespace
}  // namespace netlet
