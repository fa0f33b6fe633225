// f(x) = x <= threshold ? (scale ? scale (x - threshold) : value) : clip(x, low, high), with its gradient. NaN stays
// NaN.
#pragma once

#include "kernels/elementwise.inl"
#include "kernels/kernels.h"
#include "simd/vec.h"

namespace netlet {
namespace {

// y[N] <- f(x[N]); y may be x.
template <class T>
static void piecewise_forward(int64_t n, const Piecewise<T>& f, const T* x, T* y) {
  using vec = Vec<T>;
  const vec threshold(f.threshold), scale(f.scale), value(f.value), low(f.low), high(f.high);
  const auto flat = scale == vec(T(0));  // 0 times infinity must not become NaN
  for_lanes<T>(n, [&](auto load, auto store) {
    const vec at = load(x);
    const vec left = select(flat, value, scale * (at - threshold));
    store(y, select(at <= threshold, left, min(high, max(low, at))));
  });
}

// dx[N] <- dy * f'(x); dx may be dy. At a kink f' is that of the left side where the pieces meet, and 0 at low and
// high.
template <class T>
static void piecewise_backward(int64_t n, const Piecewise<T>& f, const T* x, const T* dy, T* dx) {
  using vec = Vec<T>;
  const vec threshold(f.threshold), scale(f.scale), low(f.low), high(f.high), zero(T(0));
  for_lanes<T>(n, [&](auto load, auto store) {
    const vec at = load(x), d = load(dy);
    store(dx, select(at <= threshold, scale * d, select((at > low) & (at < high), d, zero)));
  });
}

}  // namespace
}  // namespace netlet
