// The surface of Vec for plain float and double, so that a template over V also works with one element: V = float.
//
// fma is fused where the file being compiled has the instruction and is a product, then a sum, everywhere else;
// max, min and comparisons treat NaN and signed zeros exactly as their Vec namesakes do.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "core/macros.h"

namespace netlet {
namespace {

// The element type and the number of elements of V, which is a Vec or a plain float or double.
template <class V>
struct Lane {
  using Value = typename V::Value;
  using Mask = typename V::Mask;
  static constexpr int64_t lanes = V::lanes;
};
template <>
struct Lane<float> {
  using Value = float;
  using Mask = bool;
  static constexpr int64_t lanes = 1;
};
template <>
struct Lane<double> {
  using Value = double;
  using Mask = bool;
  static constexpr int64_t lanes = 1;
};

// The unsigned integer as wide as T, and where T keeps its exponent.
template <class T>
struct Format;
template <>
struct Format<float> {
  using Bits = uint32_t;
  static constexpr int mantissa = 23;
  static constexpr int bias = 127;
};
template <>
struct Format<double> {
  using Bits = uint64_t;
  static constexpr int mantissa = 52;
  static constexpr int bias = 1023;
};

template <class To, class From>
NL_FN To bit_copy(From a) {
  static_assert(sizeof(To) == sizeof(From));
  To b;
  std::memcpy(&b, &a, sizeof b);
  return b;
}

#if defined(__FMA__) || defined(__ARM_FEATURE_FMA) || defined(__CUDA_ARCH__)
NL_FN float fma(float a, float b, float c) { return ::fmaf(a, b, c); }
NL_FN double fma(double a, double b, double c) { return ::fma(a, b, c); }
#else
NL_FN float fma(float a, float b, float c) { return a * b + c; }
NL_FN double fma(double a, double b, double c) { return a * b + c; }
#endif
NL_FN float fnma(float a, float b, float c) { return fma(-a, b, c); }
NL_FN double fnma(double a, double b, double c) { return fma(-a, b, c); }

NL_FN float max(float a, float b) { return a > b ? a : b; }
NL_FN double max(double a, double b) { return a > b ? a : b; }
NL_FN float min(float a, float b) { return a < b ? a : b; }
NL_FN double min(double a, double b) { return a < b ? a : b; }
NL_FN float abs(float a) { return ::fabsf(a); }
NL_FN double abs(double a) { return ::fabs(a); }
NL_FN float sqrt(float a) { return ::sqrtf(a); }
NL_FN double sqrt(double a) { return ::sqrt(a); }
NL_FN float floor(float a) { return ::floorf(a); }
NL_FN double floor(double a) { return ::floor(a); }
NL_FN float round(float a) { return ::rintf(a); }  // to nearest even in the default rounding mode
NL_FN double round(double a) { return ::rint(a); }

NL_FN bool any(bool m) { return m; }
NL_FN bool all(bool m) { return m; }
NL_FN float select(bool m, float a, float b) { return m ? a : b; }
NL_FN double select(bool m, double a, double b) { return m ? a : b; }
NL_FN float reduce_add(float a) { return a; }
NL_FN double reduce_add(double a) { return a; }
NL_FN float reduce_max(float a) { return a; }
NL_FN double reduce_max(double a) { return a; }

// Operations on the bits of elements, for math.h.
template <class T>
NL_FN T from_bits(typename Format<T>::Bits a) {
  return bit_copy<T>(a);
}
#define NL_SCALAR_BITS(T, U)                                                            \
  NL_FN T bit_and(T a, T b) { return bit_copy<T>(U(bit_copy<U>(a) & bit_copy<U>(b))); } \
  NL_FN T bit_or(T a, T b) { return bit_copy<T>(U(bit_copy<U>(a) | bit_copy<U>(b))); }  \
  NL_FN T bit_xor(T a, T b) { return bit_copy<T>(U(bit_copy<U>(a) ^ bit_copy<U>(b))); } \
  NL_FN T int_add(T a, T b) { return bit_copy<T>(U(bit_copy<U>(a) + bit_copy<U>(b))); } \
  NL_FN T int_sub(T a, T b) { return bit_copy<T>(U(bit_copy<U>(a) - bit_copy<U>(b))); } \
  template <int N>                                                                      \
  NL_FN T shift_left(T a) {                                                             \
    return bit_copy<T>(U(bit_copy<U>(a) << N));                                         \
  }                                                                                     \
  template <int N>                                                                      \
  NL_FN T shift_right(T a) {                                                            \
    return bit_copy<T>(U(bit_copy<U>(a) >> N));                                         \
  }
NL_SCALAR_BITS(float, uint32_t)
NL_SCALAR_BITS(double, uint64_t)
#undef NL_SCALAR_BITS

}  // namespace
}  // namespace netlet
