// Simd<T> for AVX-512 F, BW, DQ and VL: 16 floats or 8 doubles. Masks live in k registers.
#pragma once

#if defined(NL_EMULATE_AVX512)  // tests only: the same source, run without an AVX-512 CPU
#include "emulate_avx512.h"
#elif defined(__GNUC__) && !defined(__clang__)
// GCC 12's own header makes "undefined" registers in a way that its -Wuninitialized reports (GCC bug 105593).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#else
#include <immintrin.h>
#endif

#include <cstdint>

#include "core/macros.h"

namespace netlet {
namespace {

template <class T>
struct Simd;

template <>
struct Simd<float> {
  using reg = __m512;
  using mask = __mmask16;
  static constexpr int64_t lanes = 16;

  static NL_FN reg all(float a) { return _mm512_set1_ps(a); }
  static NL_FN reg load(const float* p) { return _mm512_loadu_ps(p); }
  static NL_FN reg load(const float* p, mask m) { return _mm512_maskz_loadu_ps(m, p); }
  static NL_FN void store(float* p, reg a) { _mm512_storeu_ps(p, a); }
  static NL_FN void store(float* p, reg a, mask m) { _mm512_mask_storeu_ps(p, m, a); }
  static NL_FN mask first(int64_t n) { return static_cast<mask>((uint32_t(1) << n) - 1); }

  static NL_FN reg add(reg a, reg b) { return _mm512_add_ps(a, b); }
  static NL_FN reg sub(reg a, reg b) { return _mm512_sub_ps(a, b); }
  static NL_FN reg mul(reg a, reg b) { return _mm512_mul_ps(a, b); }
  static NL_FN reg div(reg a, reg b) { return _mm512_div_ps(a, b); }
  static NL_FN reg fma(reg a, reg b, reg c) { return _mm512_fmadd_ps(a, b, c); }
  static NL_FN reg fnma(reg a, reg b, reg c) { return _mm512_fnmadd_ps(a, b, c); }
  static NL_FN reg max(reg a, reg b) { return _mm512_max_ps(a, b); }
  static NL_FN reg min(reg a, reg b) { return _mm512_min_ps(a, b); }
  static NL_FN reg sqrt(reg a) { return _mm512_sqrt_ps(a); }
  static NL_FN reg floor(reg a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
  static NL_FN reg round(reg a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static NL_FN reg scale(reg a, reg n) { return _mm512_scalef_ps(a, n); }  // a 2^floor(n), rounded once

  static NL_FN mask lt(reg a, reg b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
  static NL_FN mask le(reg a, reg b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
  static NL_FN mask eq(reg a, reg b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
  static NL_FN mask ne(reg a, reg b) { return _mm512_cmp_ps_mask(a, b, _CMP_NEQ_UQ); }
  static NL_FN mask mask_and(mask a, mask b) { return static_cast<mask>(a & b); }
  static NL_FN mask mask_or(mask a, mask b) { return static_cast<mask>(a | b); }
  static NL_FN mask mask_not(mask a) { return static_cast<mask>(~a); }
  static NL_FN bool mask_any(mask a) { return a != 0; }
  static NL_FN bool mask_all(mask a) { return a == 0xffff; }
  static NL_FN reg select(mask m, reg a, reg b) { return _mm512_mask_blend_ps(m, b, a); }
  static NL_FN reg zip_low(reg a, reg b) {
    const __m512i i = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    return _mm512_permutex2var_ps(a, i, b);
  }
  static NL_FN reg zip_high(reg a, reg b) {
    const __m512i i = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    return _mm512_permutex2var_ps(a, i, b);
  }

  static NL_FN float reduce_add(reg a) {
    const __m256 b = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    const __m128 c = _mm_add_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
    const __m128 d = _mm_add_ps(c, _mm_movehl_ps(c, c));
    return _mm_cvtss_f32(_mm_add_ss(d, _mm_movehdup_ps(d)));
  }
  static NL_FN float reduce_max(reg a) {
    const __m256 b = _mm256_max_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    const __m128 c = _mm_max_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
    const __m128 d = _mm_max_ps(c, _mm_movehl_ps(c, c));
    return _mm_cvtss_f32(_mm_max_ss(d, _mm_movehdup_ps(d)));
  }

  static NL_FN reg bit_and(reg a, reg b) { return _mm512_and_ps(a, b); }
  static NL_FN reg bit_or(reg a, reg b) { return _mm512_or_ps(a, b); }
  static NL_FN reg bit_xor(reg a, reg b) { return _mm512_xor_ps(a, b); }
  static NL_FN reg int_add(reg a, reg b) { return from(_mm512_add_epi32(to(a), to(b))); }
  static NL_FN reg int_sub(reg a, reg b) { return from(_mm512_sub_epi32(to(a), to(b))); }
  template <int N>
  static NL_FN reg shift_left(reg a) {
    return from(_mm512_slli_epi32(to(a), N));
  }
  template <int N>
  static NL_FN reg shift_right(reg a) {
    return from(_mm512_srli_epi32(to(a), N));
  }

 private:
  static NL_FN __m512i to(reg a) { return _mm512_castps_si512(a); }
  static NL_FN reg from(__m512i a) { return _mm512_castsi512_ps(a); }
};

template <>
struct Simd<double> {
  using reg = __m512d;
  using mask = __mmask8;
  static constexpr int64_t lanes = 8;

  static NL_FN reg all(double a) { return _mm512_set1_pd(a); }
  static NL_FN reg load(const double* p) { return _mm512_loadu_pd(p); }
  static NL_FN reg load(const double* p, mask m) { return _mm512_maskz_loadu_pd(m, p); }
  static NL_FN void store(double* p, reg a) { _mm512_storeu_pd(p, a); }
  static NL_FN void store(double* p, reg a, mask m) { _mm512_mask_storeu_pd(p, m, a); }
  static NL_FN mask first(int64_t n) { return static_cast<mask>((uint32_t(1) << n) - 1); }

  static NL_FN reg add(reg a, reg b) { return _mm512_add_pd(a, b); }
  static NL_FN reg sub(reg a, reg b) { return _mm512_sub_pd(a, b); }
  static NL_FN reg mul(reg a, reg b) { return _mm512_mul_pd(a, b); }
  static NL_FN reg div(reg a, reg b) { return _mm512_div_pd(a, b); }
  static NL_FN reg fma(reg a, reg b, reg c) { return _mm512_fmadd_pd(a, b, c); }
  static NL_FN reg fnma(reg a, reg b, reg c) { return _mm512_fnmadd_pd(a, b, c); }
  static NL_FN reg max(reg a, reg b) { return _mm512_max_pd(a, b); }
  static NL_FN reg min(reg a, reg b) { return _mm512_min_pd(a, b); }
  static NL_FN reg sqrt(reg a) { return _mm512_sqrt_pd(a); }
  static NL_FN reg floor(reg a) { return _mm512_roundscale_pd(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
  static NL_FN reg round(reg a) { return _mm512_roundscale_pd(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static NL_FN reg scale(reg a, reg n) { return _mm512_scalef_pd(a, n); }  // a 2^floor(n), rounded once

  static NL_FN mask lt(reg a, reg b) { return _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ); }
  static NL_FN mask le(reg a, reg b) { return _mm512_cmp_pd_mask(a, b, _CMP_LE_OQ); }
  static NL_FN mask eq(reg a, reg b) { return _mm512_cmp_pd_mask(a, b, _CMP_EQ_OQ); }
  static NL_FN mask ne(reg a, reg b) { return _mm512_cmp_pd_mask(a, b, _CMP_NEQ_UQ); }
  static NL_FN mask mask_and(mask a, mask b) { return static_cast<mask>(a & b); }
  static NL_FN mask mask_or(mask a, mask b) { return static_cast<mask>(a | b); }
  static NL_FN mask mask_not(mask a) { return static_cast<mask>(~a); }
  static NL_FN bool mask_any(mask a) { return a != 0; }
  static NL_FN bool mask_all(mask a) { return a == 0xff; }
  static NL_FN reg select(mask m, reg a, reg b) { return _mm512_mask_blend_pd(m, b, a); }
  static NL_FN reg zip_low(reg a, reg b) {
    return _mm512_permutex2var_pd(a, _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11), b);
  }
  static NL_FN reg zip_high(reg a, reg b) {
    return _mm512_permutex2var_pd(a, _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15), b);
  }

  static NL_FN double reduce_add(reg a) {
    const __m256d b = _mm256_add_pd(_mm512_castpd512_pd256(a), _mm512_extractf64x4_pd(a, 1));
    const __m128d c = _mm_add_pd(_mm256_castpd256_pd128(b), _mm256_extractf128_pd(b, 1));
    return _mm_cvtsd_f64(_mm_add_sd(c, _mm_unpackhi_pd(c, c)));
  }
  static NL_FN double reduce_max(reg a) {
    const __m256d b = _mm256_max_pd(_mm512_castpd512_pd256(a), _mm512_extractf64x4_pd(a, 1));
    const __m128d c = _mm_max_pd(_mm256_castpd256_pd128(b), _mm256_extractf128_pd(b, 1));
    return _mm_cvtsd_f64(_mm_max_sd(c, _mm_unpackhi_pd(c, c)));
  }

  static NL_FN reg bit_and(reg a, reg b) { return _mm512_and_pd(a, b); }
  static NL_FN reg bit_or(reg a, reg b) { return _mm512_or_pd(a, b); }
  static NL_FN reg bit_xor(reg a, reg b) { return _mm512_xor_pd(a, b); }
  static NL_FN reg int_add(reg a, reg b) { return from(_mm512_add_epi64(to(a), to(b))); }
  static NL_FN reg int_sub(reg a, reg b) { return from(_mm512_sub_epi64(to(a), to(b))); }
  static NL_FN reg int_mul(reg a, reg b) { return from(_mm512_mul_epu32(to(a), to(b))); }
  template <int N>
  static NL_FN reg shift_left(reg a) {
    return from(_mm512_slli_epi64(to(a), N));
  }
  template <int N>
  static NL_FN reg shift_right(reg a) {
    return from(_mm512_srli_epi64(to(a), N));
  }

 private:
  static NL_FN __m512i to(reg a) { return _mm512_castpd_si512(a); }
  static NL_FN reg from(__m512i a) { return _mm512_castsi512_pd(a); }
};

// The 256-bit instructions: of these a processor may issue two where it issues one of 512 bits (Zen 4).
template <class T>
struct HalfSimd;

template <>
struct HalfSimd<float> {
  using reg = __m256;
  using mask = __mmask8;
  static constexpr int64_t lanes = 8;

  static NL_FN reg all(float a) { return _mm256_set1_ps(a); }
  static NL_FN reg load(const float* p) { return _mm256_loadu_ps(p); }
  static NL_FN reg load(const float* p, mask m) { return _mm256_maskz_loadu_ps(m, p); }
  static NL_FN void store(float* p, reg a) { _mm256_storeu_ps(p, a); }
  static NL_FN void store(float* p, reg a, mask m) { _mm256_mask_storeu_ps(p, m, a); }
  static NL_FN mask first(int64_t n) { return static_cast<mask>((uint32_t(1) << n) - 1); }

  static NL_FN reg fma(reg a, reg b, reg c) { return _mm256_fmadd_ps(a, b, c); }
  static NL_FN reg fnma(reg a, reg b, reg c) { return _mm256_fnmadd_ps(a, b, c); }
  static NL_FN reg max(reg a, reg b) { return _mm256_max_ps(a, b); }
};

template <>
struct HalfSimd<double> {
  using reg = __m256d;
  using mask = __mmask8;
  static constexpr int64_t lanes = 4;

  static NL_FN reg all(double a) { return _mm256_set1_pd(a); }
  static NL_FN reg load(const double* p) { return _mm256_loadu_pd(p); }
  static NL_FN reg load(const double* p, mask m) { return _mm256_maskz_loadu_pd(m, p); }
  static NL_FN void store(double* p, reg a) { _mm256_storeu_pd(p, a); }
  static NL_FN void store(double* p, reg a, mask m) { _mm256_mask_storeu_pd(p, m, a); }
  static NL_FN mask first(int64_t n) { return static_cast<mask>((uint32_t(1) << n) - 1); }

  static NL_FN reg fma(reg a, reg b, reg c) { return _mm256_fmadd_pd(a, b, c); }
  static NL_FN reg fnma(reg a, reg b, reg c) { return _mm256_fnmadd_pd(a, b, c); }
  static NL_FN reg max(reg a, reg b) { return _mm256_max_pd(a, b); }
};

}  // namespace
}  // namespace netlet
