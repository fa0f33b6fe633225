// The accuracy of simd/math.h for one ISA: a sweep over the float32 numbers, a random sweep over doubles, and the exact
// cases. Prints the worst error of each function in units in the last place (ulp), and fails above 2.
//
//   math_test [stride] [samples]    every stride-th of the 2^32 floats (default 257; 1 is all), and so many doubles
//   math_test 1                     all floats: minutes on one core, see csrc/simd/README.md
//
// The reference for float is the C library in double, for double in long double, which is wider than double both on
// x86-64 (64 bits of mantissa) and AArch64 (113).
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>

#include "check.h"
#include "core/philox.h"
#include "simd/math.h"

namespace netlet {
namespace {

constexpr double kBound = 2.0;  // ulp
constexpr int64_t kChunk = 1024;

// One function: over V, and its reference in a wider type R.
#define FUNCTION(NAME, REFERENCE)              \
  struct Function_##NAME {                     \
    static constexpr const char* name = #NAME; \
    template <class V>                         \
    static NL_FN V at(V x) {                   \
      return NAME(x);                          \
    }                                          \
    template <class R>                         \
    static R exact(R x) {                      \
      return REFERENCE;                        \
    }                                          \
  }
FUNCTION(exp, std::exp(x));
FUNCTION(expm1, std::expm1(x));
FUNCTION(log, std::log(x));
FUNCTION(log1p, std::log1p(x));
FUNCTION(tanh, std::tanh(x));
FUNCTION(sigmoid, R(1) / (R(1) + std::exp(-x)));
FUNCTION(erf, std::erf(x));
#undef FUNCTION

// |got - want| in units of the last place of T at want. Beyond the largest T, infinity counts as the next power of two.
template <class T, class R>
double ulps(T got, R want) {
  using L = std::numeric_limits<T>;
  if (std::isnan(want) || std::isnan(got)) return std::isnan(want) && std::isnan(got) ? 0 : L::infinity();
  const R top = std::ldexp(R(1), L::max_exponent);
  const auto finite = [&](R a) { return std::abs(a) > top ? std::copysign(top, a) : a; };
  const R g = finite(R(got)), w = finite(want);
  if (g == w) return 0;
  if (std::signbit(g) != std::signbit(w) && w != 0) return L::infinity();
  const int exponent = w == 0 ? L::min_exponent : std::max(std::ilogb(w) + 1, L::min_exponent);
  return static_cast<double>(std::ldexp(std::abs(g - w), L::digits - std::min(exponent, L::max_exponent)));
}

// The same for float, for the many cases in which both are ordinary numbers of one sign: without the calls.
inline double ulps(float got, double want) {
  constexpr uint64_t kExponent = 0x7ff, kBias = 1023;
  const uint64_t exponent = bit_copy<uint64_t>(want) >> 52 & kExponent;
  const bool ordinary = exponent >= kBias - 126 && exponent < kBias + 127 && std::abs(got) < 0x1p127f &&
                        std::signbit(got) == std::signbit(want);
  if (!ordinary) return ulps<float, double>(got, want);
  const double ulps_in_one = bit_copy<double>((2 * kBias + 23 - exponent) << 52);  // 2^23 / 2^(exponent - bias)
  return std::abs(static_cast<double>(got) - want) * ulps_in_one;
}

template <class T>
struct Worst {
  double error = 0;
  T at = 0;
};

// Evaluates F over x[n] with V, and keeps the worst error.
template <class F, class V, class T, class R>
void measure(const T* x, int64_t n, const R* want, Worst<T>& worst) {
  constexpr int64_t lanes = Lane<V>::lanes;
  T y[kChunk];
  if constexpr (lanes == 1) {
    for (int64_t i = 0; i < n; ++i) y[i] = F::at(x[i]);
  } else {
    int64_t i = 0;
    for (; i + lanes <= n; i += lanes) F::at(V::load(x + i)).store(y + i);
    const auto tail = V::first(n - i);
    if (i < n) F::at(V::load(x + i, tail)).store(y + i, tail);
  }
  for (int64_t i = 0; i < n; ++i) {
    const double error = ulps(y[i], want[i]);
    if (error > worst.error) worst = {error, x[i]};
  }
}

template <class F, class T, class R, class Next>
void sweep(const char* type, int64_t count, Next next) {
  Worst<T> vector, scalar;
  for (int64_t start = 0; start < count; start += kChunk) {
    const int64_t n = std::min(kChunk, count - start);
    T x[kChunk];
    R want[kChunk];
    for (int64_t i = 0; i < n; ++i) {
      x[i] = next(start + i);
      want[i] = F::exact(R(x[i]));
    }
    measure<F, Vec<T>>(x, n, want, vector);
    if (start % (16 * kChunk) == 0) measure<F, T>(x, n, want, scalar);
  }
  std::printf("%-8s %-8s %-7s %8.3f ulp at %-16.9g   one element at a time: %.3f at %.9g\n", NL_TEST_ISA, type, F::name,
              vector.error, static_cast<double>(vector.at), scalar.error, static_cast<double>(scalar.at));
  std::fflush(stdout);
  CHECK_NOTE(vector.error <= kBound, F::name);
  CHECK_NOTE(scalar.error <= kBound, F::name);
}

// Doubles to try: a third uniform in [-2, 2], a third in [-50, 50], a third over all bit patterns.
double sample_double(int64_t i) {
  const PhiloxBlock w = philox_block(20240229, Purpose::data, 0, static_cast<uint64_t>(i));
  const double u = uniform_double(w.word[0], w.word[1]) * 2 - 1;
  if (i % 3 == 0) return 2 * u;
  if (i % 3 == 1) return 50 * u;
  const uint64_t random = w.word[2] | static_cast<uint64_t>(w.word[3]) << 32;
  // Most exponents are those of huge and tiny numbers, where little happens: half of these stay within 2^-64 .. 2^11.
  if (i % 2) return bit_copy<double>(random);
  const uint64_t exponent = 1023 - 64 + (random >> 52) % 76;
  return bit_copy<double>((random & 0x800fffffffffffffu) | exponent << 52);
}

template <class F>
void test_function(int64_t stride, int64_t samples) {
  const int64_t count = ((int64_t(1) << 32) - 1) / stride + 1;
  sweep<F, float, double>("float32", count,
                          [&](int64_t i) { return bit_copy<float>(static_cast<uint32_t>(i * stride)); });
  sweep<F, double, long double>("float64", samples, sample_double);
}

// f(x) is y exactly, sign of zero included; in every lane.
template <class T, class F>
void exactly(const char* what, F f, T x, T y) {
  using V = Vec<T>;
  T got[V::lanes];
  f(V(x)).store(got);
  for (const T g : got)
    CHECK_NOTE((std::isnan(y) && std::isnan(g)) || (g == y && std::signbit(g) == std::signbit(y)),
               std::string(what) + "(" + std::to_string(x) + ") = " + std::to_string(g));
}

template <class T>
void test_exact_cases() {
  using L = std::numeric_limits<T>;
  const T inf = L::infinity(), nan = L::quiet_NaN(), tiny = L::denorm_min(), zero = 0, one = 1;
#define EXACT(NAME, X, Y) exactly<T>(#NAME, [](auto v) { return NAME(v); }, X, Y)
  EXACT(exp, zero, one);
  EXACT(exp, -zero, one);
  EXACT(exp, inf, inf);
  EXACT(exp, -inf, zero);
  EXACT(exp, L::max(), inf);
  EXACT(exp, -L::max(), zero);
  EXACT(exp, tiny, one);
  EXACT(exp, nan, nan);
  EXACT(expm1, zero, zero);
  EXACT(expm1, -zero, -zero);
  EXACT(expm1, inf, inf);
  EXACT(expm1, -inf, -one);
  EXACT(expm1, tiny, tiny);
  EXACT(expm1, -tiny, -tiny);
  EXACT(expm1, nan, nan);
  EXACT(log, one, zero);
  EXACT(log, zero, -inf);
  EXACT(log, -zero, -inf);
  EXACT(log, inf, inf);
  EXACT(log, -one, nan);
  EXACT(log, -inf, nan);
  EXACT(log, -tiny, nan);
  EXACT(log, nan, nan);
  EXACT(log1p, zero, zero);
  EXACT(log1p, -zero, -zero);
  EXACT(log1p, -one, -inf);
  EXACT(log1p, inf, inf);
  EXACT(log1p, -inf, nan);
  EXACT(log1p, T(-1.5), nan);
  EXACT(log1p, tiny, tiny);
  EXACT(log1p, -tiny, -tiny);
  EXACT(log1p, nan, nan);
  EXACT(tanh, zero, zero);
  EXACT(tanh, -zero, -zero);
  EXACT(tanh, inf, one);
  EXACT(tanh, -inf, -one);
  EXACT(tanh, L::max(), one);
  EXACT(tanh, tiny, tiny);
  EXACT(tanh, -tiny, -tiny);
  EXACT(tanh, nan, nan);
  EXACT(sigmoid, zero, T(0.5));
  EXACT(sigmoid, -zero, T(0.5));
  EXACT(sigmoid, inf, one);
  EXACT(sigmoid, -inf, zero);
  EXACT(sigmoid, L::max(), one);
  EXACT(sigmoid, -L::max(), zero);
  EXACT(sigmoid, nan, nan);
  EXACT(erf, zero, zero);
  EXACT(erf, -zero, -zero);
  EXACT(erf, inf, one);
  EXACT(erf, -inf, -one);
  EXACT(erf, L::max(), one);
  EXACT(erf, nan, nan);
#undef EXACT
}

}  // namespace

namespace test {
int run(int argc, char** argv) {
  const int64_t stride = argc > 1 ? std::atoll(argv[1]) : 257;
  const int64_t samples = argc > 2 ? std::atoll(argv[2]) : 1000000;
  if (stride < 1 || samples < 1) fail(Kind::value, "usage: math_test [stride >= 1] [samples >= 1]");
  test_exact_cases<float>();
  test_exact_cases<double>();
  test_function<Function_exp>(stride, samples);
  test_function<Function_expm1>(stride, samples);
  test_function<Function_log>(stride, samples);
  test_function<Function_log1p>(stride, samples);
  test_function<Function_tanh>(stride, samples);
  test_function<Function_sigmoid>(stride, samples);
  test_function<Function_erf>(stride, samples);
  return report("math_test " NL_TEST_ISA);
}
}  // namespace test
}  // namespace netlet
