// exp, expm1, log, log1p, tanh, sigmoid and erf over V: a Vec of float or double, or a plain float or double.
//
// One source for every ISA, without branches or tables in memory. At most 2 ulp over all arguments (README.md beside
// this file has what was measured), exact at infinities, zeros and where the value is an exception: NaN gives NaN.
// Subnormal arguments and results are right. The arithmetic holds these bounds without fused multiply-adds as well.
#pragma once

#include <cstdint>

#include "core/macros.h"
#include "simd/math_tables.h"
#include "simd/scalar.h"
#include "simd/vec.h"

namespace netlet {
namespace {

template <class V>
using Table = MathTable<typename Lane<V>::Value>;

// c[0] + c[1] x + ... + c[N-1] x^(N-1), by Horner's rule.
template <int I = 0, class V, class T, int N>
NL_FN V polynomial(V x, const T (&c)[N]) {
  if constexpr (I == N - 1) {
    return V(c[I]);
  } else {
    return fma(polynomial<I + 1>(x, c), x, V(c[I]));
  }
}

// The value whose bits are `bits`, in every element.
template <class V>
NL_FN V bits_of(typename Format<typename Lane<V>::Value>::Bits bits) {
  return V(bit_copy<typename Lane<V>::Value>(bits));
}

// |x| with the sign of `sign`; x >= 0 or NaN.
template <class V>
NL_FN V with_sign(V x, V sign) {
  using T = typename Lane<V>::Value;
  return bit_or(x, bit_and(sign, V(T(-0.0))));
}

// 2^n for whole n in [-bias, bias + 1]: 0 at the lower end, infinity at the upper.
template <class V>
NL_FN V pow2(V n) {
  using F = Format<typename Lane<V>::Value>;
  return shift_left<F::mantissa>(n + V(Table<V>::magic + F::bias));
}

// Whether the ISA multiplies by powers of two in one instruction.
template <class V>
concept HasScale = requires(V a) { V::S::scale(a.v, a.v); };

// a 2^n for whole n, |n| < 2 bias, rounded once where it is subnormal. 1/2 <= |a| <= 2, or NaN.
template <class V>
NL_FN V scale(V a, V n) {
  using T = typename Lane<V>::Value;
  using F = Format<T>;
  if constexpr (HasScale<V>) {
    return V(V::S::scale(a.v, n.v));
  } else {
    // In two steps, 2^h and 2^(n - h) with h about n / 2, so that neither overflows. offset + h has h + bias in its
    // lowest bits, which a shift makes an exponent.
    constexpr T offset = Table<V>::magic + F::bias;
    const V h = fma(n, V(T(0.5)), V(offset));
    return a * shift_left<F::mantissa>(h) * shift_left<F::mantissa>(n + (V(2 * offset) - h));
  }
}

// x = n ln 2 + r + r_low, n whole, |r| <= ln 2 / 2 and a bit. r_low is what rounding r left out. power is 2^(n - K),
// for n - K as in pow2: what rounds to n has n - K + bias in its lowest bits, which a shift makes an exponent.
template <class V>
struct Reduced {
  V n, r, r_low, power;
};
template <int K = 0, class V>
NL_FN Reduced<V> reduce_exp(V x) {
  using M = Table<V>;
  using F = Format<typename Lane<V>::Value>;
  constexpr auto magic = M::magic + (F::bias - K);
  const V t = fma(x, V(M::log2e), V(magic));
  const V n = t - V(magic);
  const V high = fnma(n, V(M::ln2_hi), x);  // exact
  const V r = fnma(n, V(M::ln2_lo), high);
  return {n, r, fnma(n, V(M::ln2_lo), high - r), shift_left<F::mantissa>(t)};
}

template <class V>
NL_FN V exp(V x) {
  using M = Table<V>;
  using T = typename Lane<V>::Value;
  const auto e = reduce_exp(max(V(M::exp_low), min(V(M::exp_high), x)));
  return scale(V(T(1)) + fma(e.r * e.r, polynomial(e.r, M::exp_tail), e.r), e.n);
}

template <class V>
NL_FN V expm1(V x) {
  using M = Table<V>;
  using T = typename Lane<V>::Value;
  const auto [n, r, r_low, s] = reduce_exp<1>(max(V(M::expm1_low), min(V(M::exp_high), x)));
  const V tail = fma(r * r, polynomial(r, M::exp_tail), r_low);
  // exp(x) - 1 = 2 (s - 1/2 + s r + s tail); the sum of the first two terms is kept in two parts.
  const V a = s - V(T(0.5)), b = s * r;
  const V sum = a + b, rest = (a - sum) + b;
  const V y = sum + fma(s, tail, rest);
  return select(abs(x) < V(M::tiny), x, y + y);
}

// k and m of x = 2^k m, k whole, sqrt(1/2) <= m < sqrt(2); x positive, finite and normal.
template <class V>
struct Split {
  V k, m;
};
template <class V>
NL_FN Split<V> split_log(V x) {
  using M = Table<V>;
  using T = typename Lane<V>::Value;
  using F = Format<T>;
  using Bits = typename F::Bits;
  const Bits start = bit_copy<Bits>(M::sqrt_half), one = bit_copy<Bits>(T(1));
  const V t = int_add(x, bits_of<V>(one - start));
  const V k = bit_or(shift_right<F::mantissa>(t), V(M::two_mantissa)) - V(M::two_mantissa + F::bias);
  const V m = int_add(bit_and(t, bits_of<V>((Bits(1) << F::mantissa) - 1)), bits_of<V>(start));
  return {k, m};
}

// k ln 2 + log(1 + f + low), sqrt(1/2) <= 1 + f < sqrt(2), low a few units in the last place of 1 at most.
template <class V>
NL_FN V log_of(V k, V f, V low) {
  using M = Table<V>;
  using T = typename Lane<V>::Value;
  const V square = V(T(0.5)) * f * f;
  if constexpr (sizeof(T) == 4) {
    const V tail = fma(f * f, f * polynomial(f, M::log_tail), fma(k, V(M::ln2_lo), low)) - square;
    return fma(k, V(M::ln2_hi), f + tail);
  } else {
    const V s = f / (V(T(2)) + f), z = s * s;
    const V tail = fma(s, fma(z, polynomial(z, M::log_tail), square), fma(k, V(M::ln2_lo), low)) - square;
    return fma(k, V(M::ln2_hi), f + tail);
  }
}

template <class V>
NL_FN V log(V x) {
  using M = Table<V>;
  using T = typename Lane<V>::Value;
  using F = Format<T>;
  const auto subnormal = x < V(M::smallest_normal);
  const auto [k, m] = split_log(select(subnormal, x * V(M::two_mantissa), x));
  const V y = log_of(select(subnormal, k - V(T(F::mantissa)), k), m - V(T(1)), V(T(0)));
  const V nonpositive = select(x == V(T(0)), V(-M::infinity), V(M::nan));
  return select(x > V(T(0)), select(x < V(M::infinity), y, x), select(x <= V(T(0)), nonpositive, x));
}

template <class V>
NL_FN V log1p(V x) {
  using M = Table<V>;
  using T = typename Lane<V>::Value;
  // 1 + x = u + c exactly; log1p(x) = k ln 2 + log(m + 2^-k c), u = 2^k m.
  const V u = V(T(1)) + x;
  const V one = u - x, c = (V(T(1)) - one) + (x - (u - one));
  const auto [k, m] = split_log(u);
  const V f0 = m - V(T(1)), f1 = c * pow2(max(V(T(1 - Format<T>::bias)), -k));
  const V f = f0 + f1;  // exactly x where k = 0
  const V y = log_of(k, f, (f0 - f) + f1);
  const V nonpositive = select(u == V(T(0)), V(-M::infinity), V(M::nan));
  const V finite = select(u > V(T(0)), y, nonpositive);
  return select(abs(x) < V(M::tiny), x, select(x < V(M::infinity), finite, x));
}

template <class V>
NL_FN V tanh(V x) {
  using M = Table<V>;
  using T = typename Lane<V>::Value;
  // With e = expm1(2 |x|): tanh |x| = e / (e + 2). What rounding the denominator d = (d - 2) + 2 loses, rest =
  // e - (d - 2), goes to the numerator with its weight 2 / (e + 2) = 1 - tanh |x|, for which 1 - |x| is good enough.
  const V a = min(V(M::tanh_high), abs(x));
  const auto [n, r, r_low, s] = reduce_exp(a + a);
  const V less = s - V(T(1)), sr = s * r, head = less + sr;
  V tail = sr * r * polynomial(r, M::exp_tail);              // e = head + tail
  if constexpr (sizeof(T) == 8) tail += (less - head) + sr;  // and what rounding head lost: see README.md
  const V d = (head + tail) + V(T(2));
  const V rounded = d - V(T(2)), rest = (head - rounded) + tail;
  return with_sign(fma(rest, V(T(1)) - min(V(T(1)), a), rounded) / d, x);
}

template <class V>
NL_FN V sigmoid(V x) {
  using M = Table<V>;
  // 1 / (1 + exp(-x)) = b / (b + a (1 + y)) with exp(-x) = 2^n (1 + y), b = 2^-K and a = 2^(n-K): so nothing overflows
  // where the value is subnormal. What rounding a + b loses goes to the small term.
  constexpr int K = M::sigmoid_shift;
  const auto [n, r, r_low, a] = reduce_exp<K>(max(V(-M::sigmoid_high), min(V(-M::exp_low), -x)));
  const V y = fma(r * r, polynomial(r, M::exp_tail), r);
  const V b(M::sigmoid_unit);
  const V larger = max(a, b), sum = a + b, rest = min(a, b) - (sum - larger);
  return b / (sum + fma(a, y, rest));
}

template <class V>
NL_FN V erf(V x) {
  using M = Table<V>;
  using T = typename Lane<V>::Value;
  const V a = min(V(M::erf_high), abs(x));
  const V near = fma(a, polynomial(a * a, M::erf_near), a);
  const V g = -polynomial(a, M::erf_far);
  const auto [n, r, r_low, s] = reduce_exp(g);
  const V e = (V(T(1)) + fma(r * r, polynomial(r, M::exp_tail), r)) * s;
  return with_sign(select(a < V(T(1)), near, V(T(1)) - e), x);
}

}  // namespace
}  // namespace netlet
