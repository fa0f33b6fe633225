// Simd<T> for AVX2 with FMA (x86-64-v3): 8 floats or 4 doubles. A mask is a register of all-ones and all-zeros
// elements.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "core/macros.h"

namespace netlet {
namespace {

template <class T>
struct Simd;

template <>
struct Simd<float> {
  using reg = __m256;
  using mask = __m256;
  static constexpr int64_t lanes = 8;

  static NL_FN reg all(float a) { return _mm256_set1_ps(a); }
  static NL_FN reg load(const float* p) { return _mm256_loadu_ps(p); }
  static NL_FN reg load(const float* p, mask m) { return _mm256_maskload_ps(p, _mm256_castps_si256(m)); }
  static NL_FN void store(float* p, reg a) { _mm256_storeu_ps(p, a); }
  static NL_FN void store(float* p, reg a, mask m) { _mm256_maskstore_ps(p, _mm256_castps_si256(m), a); }
  static NL_FN mask first(int64_t n) {
    const __m256i i = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_castsi256_ps(_mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), i));
  }

  static NL_FN reg add(reg a, reg b) { return _mm256_add_ps(a, b); }
  static NL_FN reg sub(reg a, reg b) { return _mm256_sub_ps(a, b); }
  static NL_FN reg mul(reg a, reg b) { return _mm256_mul_ps(a, b); }
  static NL_FN reg div(reg a, reg b) { return _mm256_div_ps(a, b); }
  static NL_FN reg fma(reg a, reg b, reg c) { return _mm256_fmadd_ps(a, b, c); }
  static NL_FN reg fnma(reg a, reg b, reg c) { return _mm256_fnmadd_ps(a, b, c); }
  static NL_FN reg max(reg a, reg b) { return _mm256_max_ps(a, b); }
  static NL_FN reg min(reg a, reg b) { return _mm256_min_ps(a, b); }
  static NL_FN reg sqrt(reg a) { return _mm256_sqrt_ps(a); }
  static NL_FN reg floor(reg a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
  static NL_FN reg round(reg a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }

  static NL_FN mask lt(reg a, reg b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
  static NL_FN mask le(reg a, reg b) { return _mm256_cmp_ps(a, b, _CMP_LE_OQ); }
  static NL_FN mask eq(reg a, reg b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
  static NL_FN mask ne(reg a, reg b) { return _mm256_cmp_ps(a, b, _CMP_NEQ_UQ); }
  static NL_FN mask mask_and(mask a, mask b) { return _mm256_and_ps(a, b); }
  static NL_FN mask mask_or(mask a, mask b) { return _mm256_or_ps(a, b); }
  static NL_FN mask mask_not(mask a) { return _mm256_xor_ps(a, _mm256_castsi256_ps(_mm256_set1_epi32(-1))); }
  static NL_FN bool mask_any(mask a) { return _mm256_movemask_ps(a) != 0; }
  static NL_FN bool mask_all(mask a) { return _mm256_movemask_ps(a) == 0xff; }
  static NL_FN reg select(mask m, reg a, reg b) { return _mm256_blendv_ps(b, a, m); }
  static NL_FN reg zip_low(reg a, reg b) {
    return _mm256_permute2f128_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b), 0x20);
  }
  static NL_FN reg zip_high(reg a, reg b) {
    return _mm256_permute2f128_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b), 0x31);
  }

  static NL_FN float reduce_add(reg a) {
    const __m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    const __m128 c = _mm_add_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_add_ss(c, _mm_movehdup_ps(c)));
  }
  static NL_FN float reduce_max(reg a) {
    const __m128 b = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    const __m128 c = _mm_max_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_max_ss(c, _mm_movehdup_ps(c)));
  }

  static NL_FN reg bit_and(reg a, reg b) { return _mm256_and_ps(a, b); }
  static NL_FN reg bit_or(reg a, reg b) { return _mm256_or_ps(a, b); }
  static NL_FN reg bit_xor(reg a, reg b) { return _mm256_xor_ps(a, b); }
  static NL_FN reg int_add(reg a, reg b) { return from(_mm256_add_epi32(to(a), to(b))); }
  static NL_FN reg int_sub(reg a, reg b) { return from(_mm256_sub_epi32(to(a), to(b))); }
  template <int N>
  static NL_FN reg shift_left(reg a) {
    return from(_mm256_slli_epi32(to(a), N));
  }
  template <int N>
  static NL_FN reg shift_right(reg a) {
    return from(_mm256_srli_epi32(to(a), N));
  }

 private:
  static NL_FN __m256i to(reg a) { return _mm256_castps_si256(a); }
  static NL_FN reg from(__m256i a) { return _mm256_castsi256_ps(a); }
};

template <>
struct Simd<double> {
  using reg = __m256d;
  using mask = __m256d;
  static constexpr int64_t lanes = 4;

  static NL_FN reg all(double a) { return _mm256_set1_pd(a); }
  static NL_FN reg load(const double* p) { return _mm256_loadu_pd(p); }
  static NL_FN reg load(const double* p, mask m) { return _mm256_maskload_pd(p, _mm256_castpd_si256(m)); }
  static NL_FN void store(double* p, reg a) { _mm256_storeu_pd(p, a); }
  static NL_FN void store(double* p, reg a, mask m) { _mm256_maskstore_pd(p, _mm256_castpd_si256(m), a); }
  static NL_FN mask first(int64_t n) {
    return _mm256_castsi256_pd(_mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3)));
  }

  static NL_FN reg add(reg a, reg b) { return _mm256_add_pd(a, b); }
  static NL_FN reg sub(reg a, reg b) { return _mm256_sub_pd(a, b); }
  static NL_FN reg mul(reg a, reg b) { return _mm256_mul_pd(a, b); }
  static NL_FN reg div(reg a, reg b) { return _mm256_div_pd(a, b); }
  static NL_FN reg fma(reg a, reg b, reg c) { return _mm256_fmadd_pd(a, b, c); }
  static NL_FN reg fnma(reg a, reg b, reg c) { return _mm256_fnmadd_pd(a, b, c); }
  static NL_FN reg max(reg a, reg b) { return _mm256_max_pd(a, b); }
  static NL_FN reg min(reg a, reg b) { return _mm256_min_pd(a, b); }
  static NL_FN reg sqrt(reg a) { return _mm256_sqrt_pd(a); }
  static NL_FN reg floor(reg a) { return _mm256_round_pd(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
  static NL_FN reg round(reg a) { return _mm256_round_pd(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }

  static NL_FN mask lt(reg a, reg b) { return _mm256_cmp_pd(a, b, _CMP_LT_OQ); }
  static NL_FN mask le(reg a, reg b) { return _mm256_cmp_pd(a, b, _CMP_LE_OQ); }
  static NL_FN mask eq(reg a, reg b) { return _mm256_cmp_pd(a, b, _CMP_EQ_OQ); }
  static NL_FN mask ne(reg a, reg b) { return _mm256_cmp_pd(a, b, _CMP_NEQ_UQ); }
  static NL_FN mask mask_and(mask a, mask b) { return _mm256_and_pd(a, b); }
  static NL_FN mask mask_or(mask a, mask b) { return _mm256_or_pd(a, b); }
  static NL_FN mask mask_not(mask a) { return _mm256_xor_pd(a, _mm256_castsi256_pd(_mm256_set1_epi32(-1))); }
  static NL_FN bool mask_any(mask a) { return _mm256_movemask_pd(a) != 0; }
  static NL_FN bool mask_all(mask a) { return _mm256_movemask_pd(a) == 0xf; }
  static NL_FN reg select(mask m, reg a, reg b) { return _mm256_blendv_pd(b, a, m); }
  static NL_FN reg zip_low(reg a, reg b) {
    return _mm256_permute2f128_pd(_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b), 0x20);
  }
  static NL_FN reg zip_high(reg a, reg b) {
    return _mm256_permute2f128_pd(_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b), 0x31);
  }

  static NL_FN double reduce_add(reg a) {
    const __m128d b = _mm_add_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd(a, 1));
    return _mm_cvtsd_f64(_mm_add_sd(b, _mm_unpackhi_pd(b, b)));
  }
  static NL_FN double reduce_max(reg a) {
    const __m128d b = _mm_max_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd(a, 1));
    return _mm_cvtsd_f64(_mm_max_sd(b, _mm_unpackhi_pd(b, b)));
  }

  static NL_FN reg bit_and(reg a, reg b) { return _mm256_and_pd(a, b); }
  static NL_FN reg bit_or(reg a, reg b) { return _mm256_or_pd(a, b); }
  static NL_FN reg bit_xor(reg a, reg b) { return _mm256_xor_pd(a, b); }
  static NL_FN reg int_add(reg a, reg b) { return from(_mm256_add_epi64(to(a), to(b))); }
  static NL_FN reg int_sub(reg a, reg b) { return from(_mm256_sub_epi64(to(a), to(b))); }
  static NL_FN reg int_mul(reg a, reg b) { return from(_mm256_mul_epu32(to(a), to(b))); }
  template <int N>
  static NL_FN reg shift_left(reg a) {
    return from(_mm256_slli_epi64(to(a), N));
  }
  template <int N>
  static NL_FN reg shift_right(reg a) {
    return from(_mm256_srli_epi64(to(a), N));
  }

 private:
  static NL_FN __m256i to(reg a) { return _mm256_castpd_si256(a); }
  static NL_FN reg from(__m256i a) { return _mm256_castsi256_pd(a); }
};

}  // namespace
}  // namespace netlet
