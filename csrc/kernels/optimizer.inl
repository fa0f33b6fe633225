// What optimizers share, and plain gradient descent. All over parts of the arena; arrays [N], none aliasing another.
#pragma once

#include "kernels/elementwise.inl"

namespace netlet {
namespace {

// w <- w - rate * g
template <class T>
static void sgd(int64_t n, T rate, const T* g, T* w) {
  const Vec<T> r(rate);
  for_lanes<T>(n, [&](auto load, auto store) { store(w, fnma(r, load(g), load(w))); });
}

// v <- momentum * v - rate * g, then w <- w + v; with Nesterov's look-ahead w <- w + momentum * v - rate * g.
// Sutskever, Martens, Dahl & Hinton (2013), "On the importance of initialization and momentum", sections 2 and 7.
template <class T>
static void sgd_momentum(const RuleArgs<T>& a) {
  const Vec<T> r(a.rate), m(a.momentum);
  T* const v = a.slot[0];
  for_lanes<T>(a.n, [&](auto load, auto store) {
    const Vec<T> grad = load(a.g);
    const Vec<T> speed = fnma(r, grad, m * load(v));
    store(v, speed);
    store(a.w, load(a.w) + (a.nesterov ? fnma(r, grad, m * speed) : speed));
  });
}

// y <- a * x + b * y
template <class T>
static void combine(int64_t n, T a, const T* x, T b, T* y) {
  const Vec<T> s(a), t(b);
  for_lanes<T>(n, [&](auto load, auto store) { store(y, fma(s, load(x), t * load(y))); });
}

// x <- factor * x
template <class T>
static void scale_by(int64_t n, T factor, T* x) {
  const Vec<T> f(factor);
  for_lanes<T>(n, [&](auto load, auto store) { store(x, f * load(x)); });
}

// w <- w - share * w
template <class T>
static void decay(int64_t n, T share, T* w) {
  const Vec<T> s(share);
  for_lanes<T>(n, [&](auto load, auto store) { store(w, fnma(s, load(w), load(w))); });
}

// x <- what of it lies within [-most, most]; NaN stays
template <class T>
static void clip(int64_t n, T most, T* x) {
  const Vec<T> high(most), low(-most);
  for_lanes<T>(n, [&](auto load, auto store) { store(x, max(low, min(high, load(x)))); });
}

// g <- (g + sum) / count, sum <- 0
template <class T>
static void take_mean(int64_t n, T count, T* sum, T* g) {
  const Vec<T> c(count), zero(T(0));
  for_lanes<T>(n, [&](auto load, auto store) {
    store(g, (load(g) + load(sum)) / c);
    store(sum, zero);
  });
}

// The sum of x^2 in double, in an order that is the same on every ISA: 16 chains side by side, then a fixed tree.
template <class T>
static double sum_squares(int64_t n, const T* x) {
  double chain[16] = {};
  int64_t i = 0;
  for (; i + 16 <= n; i += 16)
    for (int64_t k = 0; k < 16; ++k) {
      const double v = static_cast<double>(x[i + k]);
      chain[k] += v * v;
    }
  for (int64_t k = 0; i < n; ++i, ++k) {
    const double v = static_cast<double>(x[i]);
    chain[k] += v * v;
  }
  for (int64_t reach = 8; reach > 0; reach /= 2)
    for (int64_t k = 0; k < reach; ++k) chain[k] += chain[k + reach];
  return chain[0];
}

// sums <- sums + x^2, in double
template <class T>
static void add_squares(int64_t n, const T* x, double* sums) {
  for (int64_t i = 0; i < n; ++i) {
    const double v = static_cast<double>(x[i]);
    sums[i] += v * v;
  }
}

}  // namespace
}  // namespace netlet
