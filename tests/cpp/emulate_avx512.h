// AVX-512 intrinsics for machines without AVX-512: SIMDe's, and in plain C++ those that vec_avx512.h uses and SIMDe
// 0.7.4 lacks (masked loads and stores, extractf32x8) or rounds wrongly (roundscale, scalef). simd/vec_avx512.h
// includes this where NL_EMULATE_AVX512 is defined, which only tests do.
#pragma once

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>
#include <simde/x86/fma.h>

#include <cmath>
#include <cstring>

namespace netlet::emulated {

template <class R, class T>
inline R load_masked(unsigned mask, const void* from) {
  constexpr unsigned lanes = sizeof(R) / sizeof(T);
  T part[lanes] = {};
  for (unsigned i = 0; i < lanes; ++i)
    if (mask >> i & 1) std::memcpy(&part[i], static_cast<const T*>(from) + i, sizeof(T));
  R r;
  std::memcpy(&r, part, sizeof r);
  return r;
}

template <class T, class R>
inline void store_masked(void* to, unsigned mask, const R& r) {
  constexpr unsigned lanes = sizeof(R) / sizeof(T);
  T part[lanes];
  std::memcpy(part, &r, sizeof r);
  for (unsigned i = 0; i < lanes; ++i)
    if (mask >> i & 1) std::memcpy(static_cast<T*>(to) + i, &part[i], sizeof(T));
}

inline simde__m256 upper_half(const simde__m512& a) {
  simde__m256 half;
  std::memcpy(&half, reinterpret_cast<const char*>(&a) + sizeof half, sizeof half);
  return half;
}

// a 2^floor(n) by elements, rounded once.
template <class T, class R>
inline R scale(const R& a, const R& n) {
  constexpr unsigned lanes = sizeof(R) / sizeof(T);
  T value[lanes], power[lanes];
  std::memcpy(value, &a, sizeof a);
  std::memcpy(power, &n, sizeof n);
  for (unsigned i = 0; i < lanes; ++i)
    value[i] = power[i] == power[i] ? std::ldexp(value[i], static_cast<int>(std::floor(power[i]))) : power[i];
  R r;
  std::memcpy(&r, value, sizeof r);
  return r;
}

// Round is one of the 256-bit instructions.
template <class R, class Half, class Round>
inline R by_halves(const R& a, Round round) {
  Half half[2];
  std::memcpy(half, &a, sizeof a);
  for (Half& h : half) h = round(h);
  R r;
  std::memcpy(&r, half, sizeof r);
  return r;
}

}  // namespace netlet::emulated

#undef _mm512_maskz_loadu_ps
#undef _mm512_maskz_loadu_pd
#undef _mm512_mask_storeu_ps
#undef _mm512_mask_storeu_pd
#undef _mm256_maskz_loadu_ps
#undef _mm256_maskz_loadu_pd
#undef _mm256_mask_storeu_ps
#undef _mm256_mask_storeu_pd
#undef _mm512_extractf32x8_ps
#define _mm512_maskz_loadu_ps(m, p) ::netlet::emulated::load_masked<simde__m512, float>(m, p)
#define _mm512_maskz_loadu_pd(m, p) ::netlet::emulated::load_masked<simde__m512d, double>(m, p)
#define _mm512_mask_storeu_ps(p, m, a) ::netlet::emulated::store_masked<float>(p, m, a)
#define _mm512_mask_storeu_pd(p, m, a) ::netlet::emulated::store_masked<double>(p, m, a)
#define _mm256_maskz_loadu_ps(m, p) ::netlet::emulated::load_masked<simde__m256, float>(m, p)
#define _mm256_maskz_loadu_pd(m, p) ::netlet::emulated::load_masked<simde__m256d, double>(m, p)
#define _mm256_mask_storeu_ps(p, m, a) ::netlet::emulated::store_masked<float>(p, m, a)
#define _mm256_mask_storeu_pd(p, m, a) ::netlet::emulated::store_masked<double>(p, m, a)
#define _mm512_extractf32x8_ps(a, upper) ::netlet::emulated::upper_half(a)  // upper is 1
#undef _mm512_roundscale_ps
#undef _mm512_roundscale_pd
#define _mm512_roundscale_ps(a, mode) \
  ::netlet::emulated::by_halves<simde__m512, __m256>(a, [](__m256 h) { return _mm256_round_ps(h, mode); })
#define _mm512_roundscale_pd(a, mode) \
  ::netlet::emulated::by_halves<simde__m512d, __m256d>(a, [](__m256d h) { return _mm256_round_pd(h, mode); })
#undef _mm512_scalef_ps
#undef _mm512_scalef_pd
#define _mm512_scalef_ps(a, n) ::netlet::emulated::scale<float>(a, n)
#define _mm512_scalef_pd(a, n) ::netlet::emulated::scale<double>(a, n)
