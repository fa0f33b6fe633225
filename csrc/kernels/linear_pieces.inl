// Rows whose elements have slopes of their own: prelu and its gradients, and x * scale + offset. See Kernels.
#pragma once

#include "kernels/elementwise.inl"

namespace netlet {
namespace {

template <class T>
static void prelu_forward(int64_t rows, int64_t n, const T* alpha, const T* x, T* y) {
  for (int64_t r = 0; r < rows; ++r, x += n, y += n)
    for_lanes<T>(n, [&](auto load, auto store) {
      const Vec<T> v = load(x);
      store(y, select(v > Vec<T>(T(0)), v, v * load(alpha)));
    });
}

template <class T>
static void prelu_backward(int64_t rows, int64_t n, const T* alpha, const T* x, const T* dy, T* dx) {
  for (int64_t r = 0; r < rows; ++r, x += n, dy += n, dx += n)
    for_lanes<T>(n, [&](auto load, auto store) {
      const Vec<T> d = load(dy);
      store(dx, select(load(x) > Vec<T>(T(0)), d, d * load(alpha)));
    });
}

template <class T>
static void prelu_sums(int64_t rows, int64_t n, int64_t ld, const T* x, const T* dy, T* sums, bool accumulate) {
  const Vec<T> zero(T(0));
  if (!accumulate) for_lanes<T>(n, [&](auto, auto store) { store(sums, zero); });
  for (int64_t r = 0; r < rows; ++r, x += ld, dy += ld)
    for_lanes<T>(n, [&](auto load, auto store) { store(sums, fma(load(dy), min(zero, load(x)), load(sums))); });
}

template <class T>
static void affine(int64_t rows, int64_t n, const T* scale, const T* offset, const T* x, T* y) {
  for (int64_t r = 0; r < rows; ++r, x += n, y += n)
    for_lanes<T>(n, [&](auto load, auto store) {
      store(y, offset ? fma(load(x), load(scale), load(offset)) : load(x) * load(scale));
    });
}

}  // namespace
}  // namespace netlet
