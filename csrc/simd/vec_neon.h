// Simd<T> for AArch64 NEON: 4 floats or 2 doubles, fused multiply-add always. A mask is a register of all-ones and
// all-zeros elements.
#pragma once

#include <arm_neon.h>

#include <cstdint>

#include "core/macros.h"

namespace netlet {
namespace {

template <class T>
struct Simd;

template <>
struct Simd<float> {
  using reg = float32x4_t;
  using mask = uint32x4_t;
  static constexpr int64_t lanes = 4;

  static NL_FN reg all(float a) { return vdupq_n_f32(a); }
  static NL_FN reg load(const float* p) { return vld1q_f32(p); }
  static NL_FN reg load(const float* p, mask m) {
    uint32_t in[4];
    vst1q_u32(in, m);
    float part[4] = {};
    for (int i = 0; i < 4; ++i)
      if (in[i]) part[i] = p[i];
    return vld1q_f32(part);
  }
  static NL_FN void store(float* p, reg a) { vst1q_f32(p, a); }
  static NL_FN void store(float* p, reg a, mask m) {
    uint32_t in[4];
    vst1q_u32(in, m);
    float part[4];
    vst1q_f32(part, a);
    for (int i = 0; i < 4; ++i)
      if (in[i]) p[i] = part[i];
  }
  static NL_FN mask first(int64_t n) {
    const uint32x4_t i = vcombine_u32(vcreate_u32(uint64_t(1) << 32), vcreate_u32(uint64_t(3) << 32 | 2));
    return vcgtq_u32(vdupq_n_u32(static_cast<uint32_t>(n)), i);
  }

  static NL_FN reg add(reg a, reg b) { return vaddq_f32(a, b); }
  static NL_FN reg sub(reg a, reg b) { return vsubq_f32(a, b); }
  static NL_FN reg mul(reg a, reg b) { return vmulq_f32(a, b); }
  static NL_FN reg div(reg a, reg b) { return vdivq_f32(a, b); }
  static NL_FN reg fma(reg a, reg b, reg c) { return vfmaq_f32(c, a, b); }
  static NL_FN reg fnma(reg a, reg b, reg c) { return vfmsq_f32(c, a, b); }
  static NL_FN reg max(reg a, reg b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
  static NL_FN reg min(reg a, reg b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
  static NL_FN reg sqrt(reg a) { return vsqrtq_f32(a); }
  static NL_FN reg floor(reg a) { return vrndmq_f32(a); }
  static NL_FN reg round(reg a) { return vrndnq_f32(a); }

  static NL_FN mask lt(reg a, reg b) { return vcltq_f32(a, b); }
  static NL_FN mask le(reg a, reg b) { return vcleq_f32(a, b); }
  static NL_FN mask eq(reg a, reg b) { return vceqq_f32(a, b); }
  static NL_FN mask ne(reg a, reg b) { return vmvnq_u32(vceqq_f32(a, b)); }
  static NL_FN mask mask_and(mask a, mask b) { return vandq_u32(a, b); }
  static NL_FN mask mask_or(mask a, mask b) { return vorrq_u32(a, b); }
  static NL_FN mask mask_not(mask a) { return vmvnq_u32(a); }
  static NL_FN bool mask_any(mask a) { return vmaxvq_u32(a) != 0; }
  static NL_FN bool mask_all(mask a) { return vminvq_u32(a) != 0; }
  static NL_FN reg select(mask m, reg a, reg b) { return vbslq_f32(m, a, b); }
  static NL_FN reg zip_low(reg a, reg b) { return vzip1q_f32(a, b); }
  static NL_FN reg zip_high(reg a, reg b) { return vzip2q_f32(a, b); }

  static NL_FN float reduce_add(reg a) {
    const reg b = vaddq_f32(a, vextq_f32(a, a, 2));
    return vgetq_lane_f32(b, 0) + vgetq_lane_f32(b, 1);
  }
  static NL_FN float reduce_max(reg a) {
    const reg b = max(a, vextq_f32(a, a, 2));
    return vgetq_lane_f32(max(b, vextq_f32(b, b, 1)), 0);
  }

  static NL_FN reg bit_and(reg a, reg b) { return from(vandq_u32(to(a), to(b))); }
  static NL_FN reg bit_or(reg a, reg b) { return from(vorrq_u32(to(a), to(b))); }
  static NL_FN reg bit_xor(reg a, reg b) { return from(veorq_u32(to(a), to(b))); }
  static NL_FN reg int_add(reg a, reg b) { return from(vaddq_u32(to(a), to(b))); }
  static NL_FN reg int_sub(reg a, reg b) { return from(vsubq_u32(to(a), to(b))); }
  template <int N>
  static NL_FN reg shift_left(reg a) {
    return from(vshlq_n_u32(to(a), N));
  }
  template <int N>
  static NL_FN reg shift_right(reg a) {
    return from(vshrq_n_u32(to(a), N));
  }

 private:
  static NL_FN uint32x4_t to(reg a) { return vreinterpretq_u32_f32(a); }
  static NL_FN reg from(uint32x4_t a) { return vreinterpretq_f32_u32(a); }
};

template <>
struct Simd<double> {
  using reg = float64x2_t;
  using mask = uint64x2_t;
  static constexpr int64_t lanes = 2;

  static NL_FN reg all(double a) { return vdupq_n_f64(a); }
  static NL_FN reg load(const double* p) { return vld1q_f64(p); }
  static NL_FN reg load(const double* p, mask m) {
    const double part[2] = {vgetq_lane_u64(m, 0) ? p[0] : 0.0, vgetq_lane_u64(m, 1) ? p[1] : 0.0};
    return vld1q_f64(part);
  }
  static NL_FN void store(double* p, reg a) { vst1q_f64(p, a); }
  static NL_FN void store(double* p, reg a, mask m) {
    if (vgetq_lane_u64(m, 0)) vst1q_lane_f64(p, a, 0);
    if (vgetq_lane_u64(m, 1)) vst1q_lane_f64(p + 1, a, 1);
  }
  static NL_FN mask first(int64_t n) {
    return vcgtq_u64(vdupq_n_u64(static_cast<uint64_t>(n)), vcombine_u64(vcreate_u64(0), vcreate_u64(1)));
  }

  static NL_FN reg add(reg a, reg b) { return vaddq_f64(a, b); }
  static NL_FN reg sub(reg a, reg b) { return vsubq_f64(a, b); }
  static NL_FN reg mul(reg a, reg b) { return vmulq_f64(a, b); }
  static NL_FN reg div(reg a, reg b) { return vdivq_f64(a, b); }
  static NL_FN reg fma(reg a, reg b, reg c) { return vfmaq_f64(c, a, b); }
  static NL_FN reg fnma(reg a, reg b, reg c) { return vfmsq_f64(c, a, b); }
  static NL_FN reg max(reg a, reg b) { return vbslq_f64(vcgtq_f64(a, b), a, b); }
  static NL_FN reg min(reg a, reg b) { return vbslq_f64(vcltq_f64(a, b), a, b); }
  static NL_FN reg sqrt(reg a) { return vsqrtq_f64(a); }
  static NL_FN reg floor(reg a) { return vrndmq_f64(a); }
  static NL_FN reg round(reg a) { return vrndnq_f64(a); }

  static NL_FN mask lt(reg a, reg b) { return vcltq_f64(a, b); }
  static NL_FN mask le(reg a, reg b) { return vcleq_f64(a, b); }
  static NL_FN mask eq(reg a, reg b) { return vceqq_f64(a, b); }
  static NL_FN mask ne(reg a, reg b) { return mask_not(vceqq_f64(a, b)); }
  static NL_FN mask mask_and(mask a, mask b) { return vandq_u64(a, b); }
  static NL_FN mask mask_or(mask a, mask b) { return vorrq_u64(a, b); }
  static NL_FN mask mask_not(mask a) { return vreinterpretq_u64_u32(vmvnq_u32(vreinterpretq_u32_u64(a))); }
  static NL_FN bool mask_any(mask a) { return vmaxvq_u32(vreinterpretq_u32_u64(a)) != 0; }
  static NL_FN bool mask_all(mask a) { return vminvq_u32(vreinterpretq_u32_u64(a)) != 0; }
  static NL_FN reg select(mask m, reg a, reg b) { return vbslq_f64(m, a, b); }
  static NL_FN reg zip_low(reg a, reg b) { return vzip1q_f64(a, b); }
  static NL_FN reg zip_high(reg a, reg b) { return vzip2q_f64(a, b); }

  static NL_FN double reduce_add(reg a) { return vgetq_lane_f64(a, 0) + vgetq_lane_f64(a, 1); }
  static NL_FN double reduce_max(reg a) { return vgetq_lane_f64(max(a, vextq_f64(a, a, 1)), 0); }

  static NL_FN reg bit_and(reg a, reg b) { return from(vandq_u64(to(a), to(b))); }
  static NL_FN reg bit_or(reg a, reg b) { return from(vorrq_u64(to(a), to(b))); }
  static NL_FN reg bit_xor(reg a, reg b) { return from(veorq_u64(to(a), to(b))); }
  static NL_FN reg int_add(reg a, reg b) { return from(vaddq_u64(to(a), to(b))); }
  static NL_FN reg int_sub(reg a, reg b) { return from(vsubq_u64(to(a), to(b))); }
  static NL_FN reg int_mul(reg a, reg b) { return from(vmull_u32(vmovn_u64(to(a)), vmovn_u64(to(b)))); }
  template <int N>
  static NL_FN reg shift_left(reg a) {
    return from(vshlq_n_u64(to(a), N));
  }
  template <int N>
  static NL_FN reg shift_right(reg a) {
    return from(vshrq_n_u64(to(a), N));
  }

 private:
  static NL_FN uint64x2_t to(reg a) { return vreinterpretq_u64_f64(a); }
  static NL_FN reg from(uint64x2_t a) { return vreinterpretq_f64_u64(a); }
};

}  // namespace
}  // namespace netlet
