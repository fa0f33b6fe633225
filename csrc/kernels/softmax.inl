// Softmax and log-softmax along the last axis. x, y [rows, C].
//
// The sum over a row runs lane by lane in one fixed order that depends on C alone, then down a fixed tree.
#pragma once

#include "kernels/elementwise.inl"
#include "kernels/kernels.h"
#include "simd/math.h"
#include "simd/vec.h"

namespace netlet {
namespace {

// Reduces f(load, index) over a row: vectors in order, the tail's missing lanes filled with `fill`.
template <class T, class F, class Join>
static NL_FN Vec<T> fold_row(int64_t c, Vec<T> start, Vec<T> fill, F f, Join join) {
  using vec = Vec<T>;
  vec acc = start;
  int64_t i = 0;
  for (; i + vec::lanes <= c; i += vec::lanes) acc = join(acc, f([i](const T* p) { return vec::load(p + i); }));
  if (i < c) {
    const auto tail = vec::first(c - i);
    acc = join(acc, select(tail, f([i, tail](const T* p) { return vec::load(p + i, tail); }), fill));
  }
  return acc;
}

template <class T>
static NL_FN T row_max(int64_t c, const T* x) {
  const Vec<T> low(-__builtin_huge_val());
  return reduce_max(
      fold_row<T>(c, low, low, [&](auto load) { return load(x); }, [](auto a, auto b) { return max(a, b); }));
}

template <class T, class F>
static NL_FN T row_sum(int64_t c, F f) {
  const Vec<T> zero(T(0));
  return reduce_add(fold_row<T>(c, zero, zero, f, [](auto a, auto b) { return a + b; }));
}

// The vector logarithm of one number, so that scalars and lanes agree.
template <class T>
static NL_FN T log_scalar(T x) {
  T y[Vec<T>::lanes];
  log(Vec<T>(x)).store(y);
  return y[0];
}

// log(sum exp(x)) in two parts, so that log_sum - (x - top) keeps its digits where x is large.
template <class T>
struct LogSumExp {
  T top, log_sum;
};

// Softmax of a row of c <= lanes, which never leaves the registers: the operations of softmax_row, in its order.
template <class T>
struct ShortSoftmax {
  Vec<T> y;
  T top, sum;
};

template <class T>
static NL_FN ShortSoftmax<T> short_softmax(int64_t c, const T* x) {
  using vec = Vec<T>;
  const auto row = vec::first(c);
  const vec low(-__builtin_huge_val()), zero(T(0)), v = vec::load(x, row);
  const T top = reduce_max(max(low, select(row, v, low)));
  const vec y = exp(v - vec(top));
  const T sum = reduce_add(zero + select(row, y, zero));
  return {y / vec(sum), top, sum};
}

// y = exp(x - max x) / sum of the same.
template <class T>
static NL_FN LogSumExp<T> softmax_row(int64_t c, const T* x, T* y) {
  using vec = Vec<T>;
  if (c <= vec::lanes) {
    const ShortSoftmax<T> s = short_softmax(c, x);
    s.y.store(y, vec::first(c));
    return {s.top, log_scalar(s.sum)};
  }
  const T top = row_max(c, x);
  const vec shift(top);
  for_lanes<T>(c, [&](auto load, auto store) { store(y, exp(load(x) - shift)); });
  const T sum = row_sum<T>(c, [&](auto load) { return load(y); });
  const vec total(sum);
  for_lanes<T>(c, [&](auto load, auto store) { store(y, load(y) / total); });
  return {top, log_scalar(sum)};
}

// The same bits as softmax_row returns.
template <class T>
static NL_FN LogSumExp<T> log_sum_exp(int64_t c, const T* x) {
  const T top = row_max(c, x);
  const Vec<T> shift(top);
  return {top, log_scalar(row_sum<T>(c, [&](auto load) { return exp(load(x) - shift); }))};
}

template <class T>
static void softmax_forward(int64_t rows, int64_t c, const T* x, T* y) {
  if (c <= Vec<T>::lanes)
    for (int64_t r = 0; r < rows; ++r) short_softmax(c, x + r * c).y.store(y + r * c, Vec<T>::first(c));
  else
    for (int64_t r = 0; r < rows; ++r) softmax_row(c, x + r * c, y + r * c);
}

// dx = y * (dy - sum(dy * y))
template <class T>
static void softmax_backward(int64_t rows, int64_t c, const T* y, const T* dy, T* dx) {
  for (int64_t r = 0; r < rows; ++r, y += c, dy += c, dx += c) {
    const Vec<T> s(row_sum<T>(c, [&](auto load) { return load(dy) * load(y); }));
    for_lanes<T>(c, [&](auto load, auto store) { store(dx, load(y) * (load(dy) - s)); });
  }
}

// y = x - log(sum exp(x))
template <class T>
static void log_softmax_forward(int64_t rows, int64_t c, const T* x, T* y) {
  for (int64_t r = 0; r < rows; ++r, x += c, y += c) {
    const T top = row_max(c, x);
    const Vec<T> shift(top);
    const Vec<T> log_sum(log_scalar(row_sum<T>(c, [&](auto load) { return exp(load(x) - shift); })));
    for_lanes<T>(c, [&](auto load, auto store) { store(y, (load(x) - shift) - log_sum); });
  }
}

// dx = dy - exp(y) * sum(dy)
template <class T>
static void log_softmax_backward(int64_t rows, int64_t c, const T* y, const T* dy, T* dx) {
  for (int64_t r = 0; r < rows; ++r, y += c, dy += c, dx += c) {
    const Vec<T> s(row_sum<T>(c, [&](auto load) { return load(dy); }));
    for_lanes<T>(c, [&](auto load, auto store) { store(dx, fnma(exp(load(y)), s, load(dy))); });
  }
}

}  // namespace
}  // namespace netlet
