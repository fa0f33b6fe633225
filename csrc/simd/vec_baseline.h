// Simd<T> for the x86-64-v2 baseline (SSE4.2): 4 floats or 2 doubles. There is no fused multiply-add here, so fma is
// a product, then a sum, always. A mask is a register of all-ones and all-zeros elements.
#pragma once

#include <nmmintrin.h>

#include <cstdint>

#include "core/macros.h"

namespace netlet {
namespace {

template <class T>
struct Simd;

template <>
struct Simd<float> {
  using reg = __m128;
  using mask = __m128;
  static constexpr int64_t lanes = 4;

  static NL_FN reg all(float a) { return _mm_set1_ps(a); }
  static NL_FN reg load(const float* p) { return _mm_loadu_ps(p); }
  static NL_FN reg load(const float* p, mask m) {
    const int bits = _mm_movemask_ps(m);
    alignas(16) float part[4] = {};
    for (int i = 0; i < 4; ++i)
      if (bits >> i & 1) part[i] = p[i];
    return _mm_load_ps(part);
  }
  static NL_FN void store(float* p, reg a) { _mm_storeu_ps(p, a); }
  static NL_FN void store(float* p, reg a, mask m) {
    const int bits = _mm_movemask_ps(m);
    alignas(16) float part[4];
    _mm_store_ps(part, a);
    for (int i = 0; i < 4; ++i)
      if (bits >> i & 1) p[i] = part[i];
  }
  static NL_FN mask first(int64_t n) {
    return from(_mm_cmpgt_epi32(_mm_set1_epi32(static_cast<int>(n)), _mm_setr_epi32(0, 1, 2, 3)));
  }

  static NL_FN reg add(reg a, reg b) { return _mm_add_ps(a, b); }
  static NL_FN reg sub(reg a, reg b) { return _mm_sub_ps(a, b); }
  static NL_FN reg mul(reg a, reg b) { return _mm_mul_ps(a, b); }
  static NL_FN reg div(reg a, reg b) { return _mm_div_ps(a, b); }
  static NL_FN reg fma(reg a, reg b, reg c) { return _mm_add_ps(_mm_mul_ps(a, b), c); }
  static NL_FN reg fnma(reg a, reg b, reg c) { return _mm_sub_ps(c, _mm_mul_ps(a, b)); }
  static NL_FN reg max(reg a, reg b) { return _mm_max_ps(a, b); }
  static NL_FN reg min(reg a, reg b) { return _mm_min_ps(a, b); }
  static NL_FN reg sqrt(reg a) { return _mm_sqrt_ps(a); }
  static NL_FN reg floor(reg a) { return _mm_round_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
  static NL_FN reg round(reg a) { return _mm_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }

  static NL_FN mask lt(reg a, reg b) { return _mm_cmplt_ps(a, b); }
  static NL_FN mask le(reg a, reg b) { return _mm_cmple_ps(a, b); }
  static NL_FN mask eq(reg a, reg b) { return _mm_cmpeq_ps(a, b); }
  static NL_FN mask ne(reg a, reg b) { return _mm_cmpneq_ps(a, b); }
  static NL_FN mask mask_and(mask a, mask b) { return _mm_and_ps(a, b); }
  static NL_FN mask mask_or(mask a, mask b) { return _mm_or_ps(a, b); }
  static NL_FN mask mask_not(mask a) { return _mm_xor_ps(a, from(_mm_set1_epi32(-1))); }
  static NL_FN bool mask_any(mask a) { return _mm_movemask_ps(a) != 0; }
  static NL_FN bool mask_all(mask a) { return _mm_movemask_ps(a) == 0xf; }
  static NL_FN reg select(mask m, reg a, reg b) { return _mm_blendv_ps(b, a, m); }
  static NL_FN reg zip_low(reg a, reg b) { return _mm_unpacklo_ps(a, b); }
  static NL_FN reg zip_high(reg a, reg b) { return _mm_unpackhi_ps(a, b); }

  static NL_FN float reduce_add(reg a) {
    const __m128 b = _mm_add_ps(a, _mm_movehl_ps(a, a));
    return _mm_cvtss_f32(_mm_add_ss(b, _mm_movehdup_ps(b)));
  }
  static NL_FN float reduce_max(reg a) {
    const __m128 b = _mm_max_ps(a, _mm_movehl_ps(a, a));
    return _mm_cvtss_f32(_mm_max_ss(b, _mm_movehdup_ps(b)));
  }

  static NL_FN reg bit_and(reg a, reg b) { return _mm_and_ps(a, b); }
  static NL_FN reg bit_or(reg a, reg b) { return _mm_or_ps(a, b); }
  static NL_FN reg bit_xor(reg a, reg b) { return _mm_xor_ps(a, b); }
  static NL_FN reg int_add(reg a, reg b) { return from(_mm_add_epi32(to(a), to(b))); }
  static NL_FN reg int_sub(reg a, reg b) { return from(_mm_sub_epi32(to(a), to(b))); }
  template <int N>
  static NL_FN reg shift_left(reg a) {
    return from(_mm_slli_epi32(to(a), N));
  }
  template <int N>
  static NL_FN reg shift_right(reg a) {
    return from(_mm_srli_epi32(to(a), N));
  }

 private:
  static NL_FN __m128i to(reg a) { return _mm_castps_si128(a); }
  static NL_FN reg from(__m128i a) { return _mm_castsi128_ps(a); }
};

template <>
struct Simd<double> {
  using reg = __m128d;
  using mask = __m128d;
  static constexpr int64_t lanes = 2;

  static NL_FN reg all(double a) { return _mm_set1_pd(a); }
  static NL_FN reg load(const double* p) { return _mm_loadu_pd(p); }
  static NL_FN reg load(const double* p, mask m) {
    const int bits = _mm_movemask_pd(m);
    return _mm_setr_pd(bits & 1 ? p[0] : 0.0, bits & 2 ? p[1] : 0.0);
  }
  static NL_FN void store(double* p, reg a) { _mm_storeu_pd(p, a); }
  static NL_FN void store(double* p, reg a, mask m) {
    const int bits = _mm_movemask_pd(m);
    if (bits & 1) _mm_storel_pd(p, a);
    if (bits & 2) _mm_storeh_pd(p + 1, a);
  }
  static NL_FN mask first(int64_t n) { return from(_mm_cmpgt_epi64(_mm_set1_epi64x(n), _mm_set_epi64x(1, 0))); }

  static NL_FN reg add(reg a, reg b) { return _mm_add_pd(a, b); }
  static NL_FN reg sub(reg a, reg b) { return _mm_sub_pd(a, b); }
  static NL_FN reg mul(reg a, reg b) { return _mm_mul_pd(a, b); }
  static NL_FN reg div(reg a, reg b) { return _mm_div_pd(a, b); }
  static NL_FN reg fma(reg a, reg b, reg c) { return _mm_add_pd(_mm_mul_pd(a, b), c); }
  static NL_FN reg fnma(reg a, reg b, reg c) { return _mm_sub_pd(c, _mm_mul_pd(a, b)); }
  static NL_FN reg max(reg a, reg b) { return _mm_max_pd(a, b); }
  static NL_FN reg min(reg a, reg b) { return _mm_min_pd(a, b); }
  static NL_FN reg sqrt(reg a) { return _mm_sqrt_pd(a); }
  static NL_FN reg floor(reg a) { return _mm_round_pd(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
  static NL_FN reg round(reg a) { return _mm_round_pd(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }

  static NL_FN mask lt(reg a, reg b) { return _mm_cmplt_pd(a, b); }
  static NL_FN mask le(reg a, reg b) { return _mm_cmple_pd(a, b); }
  static NL_FN mask eq(reg a, reg b) { return _mm_cmpeq_pd(a, b); }
  static NL_FN mask ne(reg a, reg b) { return _mm_cmpneq_pd(a, b); }
  static NL_FN mask mask_and(mask a, mask b) { return _mm_and_pd(a, b); }
  static NL_FN mask mask_or(mask a, mask b) { return _mm_or_pd(a, b); }
  static NL_FN mask mask_not(mask a) { return _mm_xor_pd(a, from(_mm_set1_epi32(-1))); }
  static NL_FN bool mask_any(mask a) { return _mm_movemask_pd(a) != 0; }
  static NL_FN bool mask_all(mask a) { return _mm_movemask_pd(a) == 0x3; }
  static NL_FN reg select(mask m, reg a, reg b) { return _mm_blendv_pd(b, a, m); }
  static NL_FN reg zip_low(reg a, reg b) { return _mm_unpacklo_pd(a, b); }
  static NL_FN reg zip_high(reg a, reg b) { return _mm_unpackhi_pd(a, b); }

  static NL_FN double reduce_add(reg a) { return _mm_cvtsd_f64(_mm_add_sd(a, _mm_unpackhi_pd(a, a))); }
  static NL_FN double reduce_max(reg a) { return _mm_cvtsd_f64(_mm_max_sd(a, _mm_unpackhi_pd(a, a))); }

  static NL_FN reg bit_and(reg a, reg b) { return _mm_and_pd(a, b); }
  static NL_FN reg bit_or(reg a, reg b) { return _mm_or_pd(a, b); }
  static NL_FN reg bit_xor(reg a, reg b) { return _mm_xor_pd(a, b); }
  static NL_FN reg int_add(reg a, reg b) { return from(_mm_add_epi64(to(a), to(b))); }
  static NL_FN reg int_sub(reg a, reg b) { return from(_mm_sub_epi64(to(a), to(b))); }
  static NL_FN reg int_mul(reg a, reg b) { return from(_mm_mul_epu32(to(a), to(b))); }
  template <int N>
  static NL_FN reg shift_left(reg a) {
    return from(_mm_slli_epi64(to(a), N));
  }
  template <int N>
  static NL_FN reg shift_right(reg a) {
    return from(_mm_srli_epi64(to(a), N));
  }

 private:
  static NL_FN __m128i to(reg a) { return _mm_castpd_si128(a); }
  static NL_FN reg from(__m128i a) { return _mm_castsi128_pd(a); }
};

}  // namespace
}  // namespace netlet
