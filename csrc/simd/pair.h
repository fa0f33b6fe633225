// Pair<V>: two V side by side, with the surface of one. What is written for V then does each step for both at once.
//
// A long chain of operations leaves a processor's units idle while each waits for the one before it, and the next
// element's chain begins too far behind to fill in: its schedulers hold some 60 instructions. Here the two chains
// alternate. Every element goes through the same operations as in V, so no bit depends on which of the two was used.
#pragma once

#include <cstdint>

#include "core/macros.h"
#include "simd/scalar.h"

namespace netlet {
namespace {

template <class V>
struct Pair {
  using Value = typename Lane<V>::Value;
  static constexpr int64_t lanes = 2 * Lane<V>::lanes;

  struct Mask {
    typename Lane<V>::Mask a, b;
    friend NL_FN Mask operator&(Mask x, Mask y) { return {x.a & y.a, x.b & y.b}; }
    friend NL_FN Mask operator|(Mask x, Mask y) { return {x.a | y.a, x.b | y.b}; }
    friend NL_FN Mask operator!(Mask x) { return {!x.a, !x.b}; }
    friend NL_FN Pair select(Mask m, Pair x, Pair y) { return {select(m.a, x.a, y.a), select(m.b, x.b, y.b)}; }
  };

  V a, b;

  NL_FN Pair(V both) : a(both), b(both) {}
  NL_FN explicit Pair(Value all) : a(all), b(all) {}
  NL_FN Pair(V first, V second) : a(first), b(second) {}
  static NL_FN Pair load(const Value* p) { return {V::load(p), V::load(p + V::lanes)}; }
  NL_FN void store(Value* p) const {
    a.store(p);
    b.store(p + V::lanes);
  }

  friend NL_FN Pair operator-(Pair x) { return {-x.a, -x.b}; }
  friend NL_FN Pair operator+(Pair x, Pair y) { return {x.a + y.a, x.b + y.b}; }
  friend NL_FN Pair operator-(Pair x, Pair y) { return {x.a - y.a, x.b - y.b}; }
  friend NL_FN Pair operator*(Pair x, Pair y) { return {x.a * y.a, x.b * y.b}; }
  friend NL_FN Pair operator/(Pair x, Pair y) { return {x.a / y.a, x.b / y.b}; }
  NL_FN Pair& operator+=(Pair y) { return *this = *this + y; }

  friend NL_FN Pair fma(Pair x, Pair y, Pair z) { return {fma(x.a, y.a, z.a), fma(x.b, y.b, z.b)}; }
  friend NL_FN Pair fnma(Pair x, Pair y, Pair z) { return {fnma(x.a, y.a, z.a), fnma(x.b, y.b, z.b)}; }
  friend NL_FN Pair max(Pair x, Pair y) { return {max(x.a, y.a), max(x.b, y.b)}; }
  friend NL_FN Pair min(Pair x, Pair y) { return {min(x.a, y.a), min(x.b, y.b)}; }
  friend NL_FN Pair abs(Pair x) { return {abs(x.a), abs(x.b)}; }
  friend NL_FN Pair sqrt(Pair x) { return {sqrt(x.a), sqrt(x.b)}; }

  friend NL_FN Mask operator<(Pair x, Pair y) { return {x.a < y.a, x.b < y.b}; }
  friend NL_FN Mask operator<=(Pair x, Pair y) { return {x.a <= y.a, x.b <= y.b}; }
  friend NL_FN Mask operator>(Pair x, Pair y) { return {x.a > y.a, x.b > y.b}; }
  friend NL_FN Mask operator>=(Pair x, Pair y) { return {x.a >= y.a, x.b >= y.b}; }
  friend NL_FN Mask operator==(Pair x, Pair y) { return {x.a == y.a, x.b == y.b}; }
  friend NL_FN Mask operator!=(Pair x, Pair y) { return {x.a != y.a, x.b != y.b}; }

  friend NL_FN Pair bit_and(Pair x, Pair y) { return {bit_and(x.a, y.a), bit_and(x.b, y.b)}; }
  friend NL_FN Pair bit_or(Pair x, Pair y) { return {bit_or(x.a, y.a), bit_or(x.b, y.b)}; }
  friend NL_FN Pair bit_xor(Pair x, Pair y) { return {bit_xor(x.a, y.a), bit_xor(x.b, y.b)}; }
  friend NL_FN Pair int_add(Pair x, Pair y) { return {int_add(x.a, y.a), int_add(x.b, y.b)}; }
  friend NL_FN Pair int_sub(Pair x, Pair y) { return {int_sub(x.a, y.a), int_sub(x.b, y.b)}; }
};

template <int N, class V>
NL_FN Pair<V> shift_left(Pair<V> x) {
  return {shift_left<N>(x.a), shift_left<N>(x.b)};
}
template <int N, class V>
NL_FN Pair<V> shift_right(Pair<V> x) {
  return {shift_right<N>(x.a), shift_right<N>(x.b)};
}
template <class V>
NL_FN Pair<V> scale(Pair<V> x, Pair<V> n) {
  return {scale(x.a, n.a), scale(x.b, n.b)};
}

}  // namespace
}  // namespace netlet
