// The rules that divide by a root of gathered squares, one pass each. Formulas as Keras 3 has them.
#pragma once

#include "kernels/elementwise.inl"
#include "simd/math.h"

namespace netlet {
namespace {

// Hinton (2012), lecture 6e: v <- rho v + fresh g^2, step = rate * g / sqrt(v + epsilon), w <- w - step.
// centered: a <- rho a + fresh g, and v - a^2 under the root. momentum: p <- momentum * p + step, w <- w - p.
// Slots v, then p where there is momentum, then a where it is centered.
template <class T>
static void rmsprop(const RuleArgs<T>& a) {
  const Vec<T> rho(a.beta_2), fresh(a.fresh_2), rate(a.rate), epsilon(a.epsilon), momentum(a.momentum);
  const bool moves = a.momentum > 0;
  T* const average = a.slot[moves ? 2 : 1];
  for_lanes<T>(a.n, [&](auto load, auto store) {
    const Vec<T> g = load(a.g);
    const Vec<T> v = fma(fresh * g, g, rho * load(a.slot[0]));
    store(a.slot[0], v);
    Vec<T> under = v;
    if (a.centered) {
      const Vec<T> mean = fma(fresh, g, rho * load(average));
      store(average, mean);
      under = fnma(mean, mean, v);
    }
    Vec<T> step = rate * g / sqrt(under + epsilon);
    if (moves) {
      step = fma(momentum, load(a.slot[1]), step);
      store(a.slot[1], step);
    }
    store(a.w, load(a.w) - step);
  });
}

// Duchi, Hazan & Singer (2011): s <- s + g^2, w <- w - rate * g / sqrt(s + epsilon). Slot s.
template <class T>
static void adagrad(const RuleArgs<T>& a) {
  const Vec<T> rate(a.rate), epsilon(a.epsilon);
  for_lanes<T>(a.n, [&](auto load, auto store) {
    const Vec<T> g = load(a.g);
    const Vec<T> s = fma(g, g, load(a.slot[0]));
    store(a.slot[0], s);
    store(a.w, load(a.w) - rate * g / sqrt(s + epsilon));
  });
}

// Zeiler (2012): s <- rho s + fresh g^2, d = g * sqrt(t + epsilon) / sqrt(s + epsilon), t <- rho t + fresh d^2,
// w <- w - rate * d. Slots s, t.
template <class T>
static void adadelta(const RuleArgs<T>& a) {
  const Vec<T> rho(a.beta_2), fresh(a.fresh_2), rate(a.rate), epsilon(a.epsilon);
  for_lanes<T>(a.n, [&](auto load, auto store) {
    const Vec<T> g = load(a.g), t = load(a.slot[1]);
    const Vec<T> s = fma(fresh * g, g, rho * load(a.slot[0]));
    const Vec<T> d = sqrt(t + epsilon) * g / sqrt(s + epsilon);
    store(a.slot[0], s);
    store(a.slot[1], fma(fresh * d, d, rho * t));
    store(a.w, fnma(rate, d, load(a.w)));
  });
}

// x^p for x >= 0, p >= 0.
template <class T>
static NL_FN Vec<T> ftrl_power(Vec<T> x, T p) {
  if (p == T(0.5)) return sqrt(x);
  if (p == T(0)) return Vec<T>(T(1));
  return exp(Vec<T>(p) * log(x));
}

// McMahan et al. (2013), "Ad click prediction", with L2 shrinkage. p = -learning_rate_power:
// s' = s + g^2, z <- z + g + 2 shrinkage w - (s'^p - s^p) / rate * w,
// w <- (clip(z, -l1, l1) - z) / (s'^p / rate + 2 l2), s <- s'. Slots s, z.
template <class T>
static void ftrl(const RuleArgs<T>& a) {
  const Vec<T> rate(a.rate), shrinkage(2 * a.shrinkage), l1(a.l1), l2(2 * a.l2);
  for_lanes<T>(a.n, [&](auto load, auto store) {
    const Vec<T> g = load(a.g), w = load(a.w), s = load(a.slot[0]);
    const Vec<T> sum = fma(g, g, s);
    const Vec<T> power = ftrl_power(sum, a.power);
    const Vec<T> sigma = (power - ftrl_power(s, a.power)) / rate;
    const Vec<T> z = load(a.slot[1]) + fnma(sigma, w, fma(shrinkage, w, g));
    store(a.slot[0], sum);
    store(a.slot[1], z);
    store(a.w, (max(-l1, min(l1, z)) - z) / (power / rate + l2));
  });
}

// Shazeer & Stern (2018), "Adafactor", for a vector: v <- beta_2 v + fresh_2 (g^2 + epsilon), g <- g / sqrt(v). Slot v.
template <class T>
static void adafactor(const RuleArgs<T>& a) {
  const Vec<T> beta_2(a.beta_2), fresh_2(a.fresh_2), epsilon(a.epsilon);
  for_lanes<T>(a.n, [&](auto load, auto store) {
    const Vec<T> g = load(a.g);
    const Vec<T> v = fma(beta_2, load(a.slot[0]), fresh_2 * fma(g, g, epsilon));
    store(a.slot[0], v);
    store(a.g, g / sqrt(v));
  });
}

// ... for a row of a matrix, whose second moments are row * column: g <- g / sqrt(row * column).
template <class T>
static void divide_by_root(int64_t n, T row, const T* column, T* g) {
  const Vec<T> r(row);
  for_lanes<T>(n, [&](auto load, auto store) { store(g, load(g) / sqrt(r * load(column))); });
}

}  // namespace
}  // namespace netlet
