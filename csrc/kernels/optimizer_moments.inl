// The rules with moving averages of the gradient (m) and its square (v), one pass each. Formulas as Keras 3 has them.
#pragma once

#include "kernels/elementwise.inl"

namespace netlet {
namespace {

// m + (x - m) * fresh: the moving average that takes `fresh` of x.
template <class V>
static NL_FN V averaged(V m, V x, V fresh) {
  return fma(x - m, fresh, m);
}
template <class V>
static NL_FN V averaged_square(V v, V g, V fresh) {
  return fma(fma(g, g, -v), fresh, v);
}

// Kingma & Ba (2014), "Adam", algorithm 1 with the bias corrections in the rate; Reddi et al. (2018) for amsgrad.
// m <- m + (g - m) fresh_1, v <- v + (g^2 - v) fresh_2, w <- w - rate * m / (sqrt(v) + epsilon);
// with amsgrad h <- max(h, v) in the place of v. Slots m, v, h.
template <class T>
static void adam(const RuleArgs<T>& a) {
  const Vec<T> fresh_1(a.fresh_1), fresh_2(a.fresh_2), rate(a.rate), epsilon(a.epsilon);
  for_lanes<T>(a.n, [&](auto load, auto store) {
    const Vec<T> g = load(a.g);
    const Vec<T> m = averaged(load(a.slot[0]), g, fresh_1);
    Vec<T> v = averaged_square(load(a.slot[1]), g, fresh_2);
    store(a.slot[0], m);
    store(a.slot[1], v);
    if (a.amsgrad) {
      v = max(load(a.slot[2]), v);
      store(a.slot[2], v);
    }
    store(a.w, load(a.w) - rate * m / (sqrt(v) + epsilon));
  });
}

// Kingma & Ba (2014), section 7.1: u <- max(beta_2 u, |g|), w <- w - rate * m / (u + epsilon). Slots m, u.
template <class T>
static void adamax(const RuleArgs<T>& a) {
  const Vec<T> fresh_1(a.fresh_1), beta_2(a.beta_2), rate(a.rate), epsilon(a.epsilon);
  for_lanes<T>(a.n, [&](auto load, auto store) {
    const Vec<T> g = load(a.g);
    const Vec<T> m = averaged(load(a.slot[0]), g, fresh_1);
    const Vec<T> u = max(beta_2 * load(a.slot[1]), abs(g));
    store(a.slot[0], m);
    store(a.slot[1], u);
    store(a.w, load(a.w) - rate * m / (u + epsilon));
  });
}

// Dozat (2015), "Incorporating Nesterov momentum into Adam": Adam's m and v,
// w <- w - (rate * m + rate_g * g) / (sqrt(v * correction_2) + epsilon). Slots m, v.
template <class T>
static void nadam(const RuleArgs<T>& a) {
  const Vec<T> fresh_1(a.fresh_1), fresh_2(a.fresh_2), rate(a.rate), rate_g(a.rate_g), c(a.correction_2), e(a.epsilon);
  for_lanes<T>(a.n, [&](auto load, auto store) {
    const Vec<T> g = load(a.g);
    const Vec<T> m = averaged(load(a.slot[0]), g, fresh_1);
    const Vec<T> v = averaged_square(load(a.slot[1]), g, fresh_2);
    store(a.slot[0], m);
    store(a.slot[1], v);
    store(a.w, load(a.w) - fma(rate, m, rate_g * g) / (sqrt(v * c) + e));
  });
}

// Defazio et al. (2024), "The road less scheduled": Adam's v, z <- z - rate * g / (sqrt(v * correction_2) + epsilon).
// What is trained lies between z and x, the average of all z: w = (1 - beta_1) z + beta_1 x. From the w that is there
// follows x, which takes `share` of the new z. beta_1 is not 0. Slots z, v.
template <class T>
static void schedule_free(const RuleArgs<T>& a) {
  const Vec<T> beta_1(a.beta_1), fresh_1(a.fresh_1), fresh_2(a.fresh_2), rate(a.rate), share(a.share);
  const Vec<T> c(a.correction_2), e(a.epsilon);
  for_lanes<T>(a.n, [&](auto load, auto store) {
    const Vec<T> g = load(a.g), before = load(a.slot[0]);
    const Vec<T> v = averaged_square(load(a.slot[1]), g, fresh_2);
    const Vec<T> z = before - rate * g / (sqrt(v * c) + e);
    const Vec<T> x = averaged(fnma(fresh_1, before, load(a.w)) / beta_1, z, share);
    store(a.slot[0], z);
    store(a.slot[1], v);
    store(a.w, averaged(z, x, beta_1));
  });
}

// You et al. (2019), "Large batch optimization for deep learning": Adam's m and v, and the direction
// g <- m * correction_1 / (sqrt(v * correction_2) + epsilon), which the caller scales by norms. Slots m, v.
template <class T>
static void lamb(const RuleArgs<T>& a) {
  const Vec<T> fresh_1(a.fresh_1), fresh_2(a.fresh_2), c_1(a.correction_1), c_2(a.correction_2), e(a.epsilon);
  for_lanes<T>(a.n, [&](auto load, auto store) {
    const Vec<T> g = load(a.g);
    const Vec<T> m = averaged(load(a.slot[0]), g, fresh_1);
    const Vec<T> v = averaged_square(load(a.slot[1]), g, fresh_2);
    store(a.slot[0], m);
    store(a.slot[1], v);
    store(a.g, m * c_1 / (sqrt(v * c_2) + e));
  });
}

// Chen et al. (2023), "Symbolic discovery of optimization algorithms": w <- w - rate * sign(beta_1 m + fresh_1 g),
// then m <- beta_2 m + fresh_2 g. Slot m.
template <class T>
static void lion(const RuleArgs<T>& a) {
  const Vec<T> beta_1(a.beta_1), fresh_1(a.fresh_1), beta_2(a.beta_2), fresh_2(a.fresh_2), rate(a.rate), zero(T(0));
  for_lanes<T>(a.n, [&](auto load, auto store) {
    const Vec<T> g = load(a.g), m = load(a.slot[0]);
    const Vec<T> c = fma(beta_1, m, fresh_1 * g);
    const Vec<T> step = select(c > zero, rate, select(c < zero, -rate, c));  // 0 and NaN stay what they are
    store(a.w, load(a.w) - step);
    store(a.slot[0], fma(beta_2, m, fresh_2 * g));
  });
}

// m <- g + momentum * m; g <- m, or with Nesterov's look-ahead g + momentum * m: what Muon makes orthogonal. Slot m.
template <class T>
static void muon_momentum(const RuleArgs<T>& a) {
  const Vec<T> momentum(a.momentum);
  for_lanes<T>(a.n, [&](auto load, auto store) {
    const Vec<T> g = load(a.g);
    const Vec<T> m = fma(momentum, load(a.slot[0]), g);
    store(a.slot[0], m);
    store(a.g, a.nesterov ? fma(momentum, m, g) : m);
  });
}

}  // namespace
}  // namespace netlet
