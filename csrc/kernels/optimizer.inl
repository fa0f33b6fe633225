// SGD over the arena, one pass. g, v, w [N], none aliasing another.
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
static void sgd_momentum(int64_t n, T rate, T momentum, bool nesterov, const T* g, T* v, T* w) {
  const Vec<T> r(rate), m(momentum);
  for_lanes<T>(n, [&](auto load, auto store) {
    const Vec<T> grad = load(g);
    const Vec<T> speed = fnma(r, grad, m * load(v));
    store(v, speed);
    store(w, load(w) + (nesterov ? fnma(r, grad, m * speed) : speed));
  });
}

}  // namespace
}  // namespace netlet
