// Vec<T>: the widest register of float or double that the including file may use, with one small surface on every ISA.
//
// A kernels file defines exactly one of NL_SIMD_BASELINE, NL_SIMD_AVX2, NL_SIMD_AVX512, NL_SIMD_NEON and is compiled
// with that ISA's flags. vec_<isa>.h provides Simd<T>, the bare instructions; this file gives them their shape, once.
// Everything has internal linkage: the linker must never share code between files that have different flags.
//
//   fma(a, b, c) = a * b + c, fnma(a, b, c) = c - a * b   fused, except on baseline: a product, then a sum
//   max(a, b) = a > b ? a : b, min(a, b) = a < b ? a : b  so b where unordered or equal: max(Vec(0), x) keeps NaN
//   round(a)                                              to the nearest, ties to even
//   load(p, m), store(p, m)                               touch only the elements in m; load gives 0 elsewhere
//   first(n)                                              the mask of elements [0, n), 0 <= n <= lanes
//   zip_low(a, b), zip_high(a, b)                         a0 b0 a1 b1 ... of the lower halves, of the upper halves
//   reduce_add, reduce_max                                fold the upper half onto the lower until one is left
//   reduce_max with a NaN element                         any element, NaN or not
//   int_mul(a, b)                                         of doubles alone: the lower 32 bits of each, to 64
//
// Half<T> is a register half as wide, with loads, stores, all, fma, fnma and max alone, where an ISA issues more of
// them in a cycle than of the whole (AVX-512); elsewhere it is Vec<T>.
#pragma once

#include <cstdint>

#include "core/macros.h"
#include "simd/scalar.h"

#if defined(NL_SIMD_BASELINE) + defined(NL_SIMD_AVX2) + defined(NL_SIMD_AVX512) + defined(NL_SIMD_NEON) != 1
#error "define exactly one of NL_SIMD_BASELINE, NL_SIMD_AVX2, NL_SIMD_AVX512, NL_SIMD_NEON before simd/vec.h"
#elif defined(NL_SIMD_AVX512)
#include "simd/vec_avx512.h"
#elif defined(NL_SIMD_AVX2)
#include "simd/vec_avx2.h"
#elif defined(NL_SIMD_NEON)
#include "simd/vec_neon.h"
#else
#include "simd/vec_baseline.h"
#endif

namespace netlet {
namespace {

template <class T, class S = Simd<T>>
struct Vec {
  using Value = T;
  using Bits = typename Format<T>::Bits;
  static constexpr int64_t lanes = S::lanes;

  struct Mask {
    typename S::mask m;
    friend NL_FN Mask operator&(Mask a, Mask b) { return {S::mask_and(a.m, b.m)}; }
    friend NL_FN Mask operator|(Mask a, Mask b) { return {S::mask_or(a.m, b.m)}; }
    friend NL_FN Mask operator!(Mask a) { return {S::mask_not(a.m)}; }
    friend NL_FN bool any(Mask a) { return S::mask_any(a.m); }
    friend NL_FN bool all(Mask a) { return S::mask_all(a.m); }
    friend NL_FN Vec select(Mask a, Vec x, Vec y) { return Vec(S::select(a.m, x.v, y.v)); }
  };

  typename S::reg v;

  Vec() = default;  // undefined; GCC 12 keeps an array whose elements a constructor fills in memory, not registers
  NL_FN explicit Vec(T a) : v(S::all(a)) {}
  NL_FN explicit Vec(typename S::reg a) : v(a) {}
  static NL_FN Vec all(T a) { return Vec(a); }
  static NL_FN Vec load(const T* p) { return Vec(S::load(p)); }
  static NL_FN Vec load(const T* p, Mask m) { return Vec(S::load(p, m.m)); }
  NL_FN void store(T* p) const { S::store(p, v); }
  NL_FN void store(T* p, Mask m) const { S::store(p, v, m.m); }
  static NL_FN Mask first(int64_t n) { return {S::first(n)}; }

  friend NL_FN Vec operator+(Vec a, Vec b) { return Vec(S::add(a.v, b.v)); }
  friend NL_FN Vec operator-(Vec a, Vec b) { return Vec(S::sub(a.v, b.v)); }
  friend NL_FN Vec operator*(Vec a, Vec b) { return Vec(S::mul(a.v, b.v)); }
  friend NL_FN Vec operator/(Vec a, Vec b) { return Vec(S::div(a.v, b.v)); }
  friend NL_FN Vec operator-(Vec a) { return bit_xor(a, Vec(T(-0.0))); }
  NL_FN Vec& operator+=(Vec b) { return *this = *this + b; }
  NL_FN Vec& operator-=(Vec b) { return *this = *this - b; }
  NL_FN Vec& operator*=(Vec b) { return *this = *this * b; }
  NL_FN Vec& operator/=(Vec b) { return *this = *this / b; }

  friend NL_FN Vec fma(Vec a, Vec b, Vec c) { return Vec(S::fma(a.v, b.v, c.v)); }
  friend NL_FN Vec fnma(Vec a, Vec b, Vec c) { return Vec(S::fnma(a.v, b.v, c.v)); }
  friend NL_FN Vec max(Vec a, Vec b) { return Vec(S::max(a.v, b.v)); }
  friend NL_FN Vec min(Vec a, Vec b) { return Vec(S::min(a.v, b.v)); }
  friend NL_FN Vec abs(Vec a) { return bit_and(a, Vec(bit_copy<T>(Bits(Bits(~Bits(0)) >> 1)))); }
  friend NL_FN Vec sqrt(Vec a) { return Vec(S::sqrt(a.v)); }
  friend NL_FN Vec floor(Vec a) { return Vec(S::floor(a.v)); }
  friend NL_FN Vec round(Vec a) { return Vec(S::round(a.v)); }

  friend NL_FN Mask operator<(Vec a, Vec b) { return {S::lt(a.v, b.v)}; }
  friend NL_FN Mask operator<=(Vec a, Vec b) { return {S::le(a.v, b.v)}; }
  friend NL_FN Mask operator>(Vec a, Vec b) { return {S::lt(b.v, a.v)}; }
  friend NL_FN Mask operator>=(Vec a, Vec b) { return {S::le(b.v, a.v)}; }
  friend NL_FN Mask operator==(Vec a, Vec b) { return {S::eq(a.v, b.v)}; }
  friend NL_FN Mask operator!=(Vec a, Vec b) { return {S::ne(a.v, b.v)}; }

  friend NL_FN Vec zip_low(Vec a, Vec b) { return Vec(S::zip_low(a.v, b.v)); }
  friend NL_FN Vec zip_high(Vec a, Vec b) { return Vec(S::zip_high(a.v, b.v)); }
  friend NL_FN T reduce_add(Vec a) { return S::reduce_add(a.v); }
  friend NL_FN T reduce_max(Vec a) { return S::reduce_max(a.v); }

  // For math.h: elements seen as their bits, or as unsigned integers of the same width.
  friend NL_FN Vec bit_and(Vec a, Vec b) { return Vec(S::bit_and(a.v, b.v)); }
  friend NL_FN Vec bit_or(Vec a, Vec b) { return Vec(S::bit_or(a.v, b.v)); }
  friend NL_FN Vec bit_xor(Vec a, Vec b) { return Vec(S::bit_xor(a.v, b.v)); }
  friend NL_FN Vec int_add(Vec a, Vec b) { return Vec(S::int_add(a.v, b.v)); }
  friend NL_FN Vec int_sub(Vec a, Vec b) { return Vec(S::int_sub(a.v, b.v)); }
  friend NL_FN Vec int_mul(Vec a, Vec b) { return Vec(S::int_mul(a.v, b.v)); }
};

#if defined(NL_SIMD_AVX512)
template <class T>
using Half = Vec<T, HalfSimd<T>>;
#else
template <class T>
using Half = Vec<T>;
#endif

template <int N, class T>
NL_FN Vec<T> shift_left(Vec<T> a) {
  return Vec<T>(Simd<T>::template shift_left<N>(a.v));
}
template <int N, class T>
NL_FN Vec<T> shift_right(Vec<T> a) {  // zeros come in
  return Vec<T>(Simd<T>::template shift_right<N>(a.v));
}

}  // namespace
}  // namespace netlet
