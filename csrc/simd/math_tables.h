// The numbers behind math.h: polynomials and split constants for float and double.
//
// Polynomials are minimax fits made with Sollya (fpminimax, and remez with weights for erf), coefficients from the
// constant term up. The largest relative error of each fit, before any rounding of the arithmetic, stands beside it.
#pragma once

#include "core/macros.h"

namespace netlet {
namespace {

template <class T>
struct MathTable;

template <>
struct MathTable<float> {
  static constexpr float infinity = __builtin_inff(), nan = __builtin_nanf("");
  static constexpr float magic = 0x1.8p23f;  // a + magic holds round(a) in its lowest bits, for |a| < 2^22
  static constexpr float two_mantissa = 0x1p23f;
  static constexpr float smallest_normal = 0x1p-126f;

  // exp(x) = 2^n exp(r), n = round(x / ln 2), |r| <= ln 2 / 2. ln 2 in two parts: n * ln2_hi is exact.
  static constexpr float log2e = 0x1.715476p0f, ln2_hi = 0x1.62e4p-1f, ln2_lo = 0x1.7f7d1cp-20f;
  static constexpr float exp_low = -104.0f, exp_high = 89.0f;  // 0 below, inf above
  static constexpr float expm1_low = -20.0f;                   // -1 below
  // (exp(r) - 1 - r) / r^2: 2^-27 of exp(r).
  static constexpr float exp_tail[] = {0x1p-1f, 0x1.5554dcp-3f, 0x1.5554eap-5f, 0x1.120c0cp-7f, 0x1.6d4cp-10f};

  // log(x) = k ln 2 + log(1 + f), sqrt(1/2) <= 1 + f < sqrt(2).
  static constexpr float sqrt_half = 0x1.6a09e6p-1f;
  // (log(1 + f) - f + f^2 / 2) / f^3: 2^-27 of log(1 + f).
  static constexpr float log_tail[] = {0x1.555554p-2f,  -0x1.ffffe6p-3f, 0x1.999d2ap-3f,
                                       -0x1.556288p-3f, 0x1.23de4p-3f,   -0x1.fbbf2ep-4f,
                                       0x1.dc75e8p-4f,  -0x1.ddb2cep-4f, 0x1.2cb40ep-4f};

  static constexpr float tiny = 0x1p-25f;    // below, expm1 and log1p are x, to less than half a unit
  static constexpr float tanh_high = 10.0f;  // 1 above
  // sigmoid(x) is 1 from sigmoid_high on; exp(-x) is scaled by sigmoid_unit = 2^-sigmoid_shift.
  static constexpr float sigmoid_high = 40.0f, sigmoid_unit = 0x1p-31f;
  static constexpr int sigmoid_shift = 31;
  static constexpr float erf_high = 4.0f;  // 1 above
  // erf(x) / x - 1 over x^2, |x| < 1: 2^-29 of erf(x).
  static constexpr float erf_near[] = {0x1.06eba8p-3f, -0x1.81274p-2f,   0x1.ce2d52p-4f, -0x1.b7fec4p-6f,
                                       0x1.542fecp-8f, -0x1.a5197ap-11f, 0x1.4c5cb4p-14f};
  // -log(1 - erf(x)), 1 <= x <= 4: 2^-28 of erf(x).
  static constexpr float erf_far[] = {0x1.47a612p-12f, 0x1.209054p0f,  0x1.46a35ap-1f,  0x1.a6eff8p-4f,
                                      -0x1.66ea6ap-6f, 0x1.847f84p-9f, -0x1.8a347ep-13f};
};

template <>
struct MathTable<double> {
  static constexpr double infinity = __builtin_inf(), nan = __builtin_nan("");
  static constexpr double magic = 0x1.8p52;  // for |a| < 2^51
  static constexpr double two_mantissa = 0x1p52;
  static constexpr double smallest_normal = 0x1p-1022;

  static constexpr double log2e = 0x1.71547652b82fep0, ln2_hi = 0x1.62e42feep-1, ln2_lo = 0x1.a39ef35793c76p-33;
  static constexpr double exp_low = -746.0, exp_high = 710.0, expm1_low = -40.0;
  // 2^-55 of exp(r).
  static constexpr double exp_tail[] = {0x1.0000000000001p-1,  0x1.5555555555558p-3,  0x1.5555555553cd9p-5,
                                        0x1.111111110f8dbp-7,  0x1.6c16c178ab69bp-10, 0x1.a01a01afb7266p-13,
                                        0x1.a019b8b78c931p-16, 0x1.71ddf787508b3p-19, 0x1.2891d2bdf2cfbp-22,
                                        0x1.af61c0a4217f6p-26};

  static constexpr double sqrt_half = 0x1.6a09e667f3bcdp-1;
  // With s = f / (2 + f): (log(1 + f) / s - 2) / s^2 over s^2: 2^-57 of log(1 + f).
  static constexpr double log_tail[] = {0x1.5555555555558p-1, 0x1.99999999952d9p-2, 0x1.2492492df75c5p-2,
                                        0x1.c71c62dc153fdp-3, 0x1.7462b770bf0c4p-3, 0x1.39fe05ba9f5adp-3,
                                        0x1.2b5c84287ab33p-3};

  static constexpr double tiny = 0x1p-54;
  static constexpr double tanh_high = 20.0, erf_high = 6.0;
  static constexpr double sigmoid_high = 40.0, sigmoid_unit = 0x1p-63;
  static constexpr int sigmoid_shift = 63;
  // 2^-56 of erf(x).
  static constexpr double erf_near[] = {0x1.06eba8214db69p-3,   -0x1.812746b0379fdp-2,  0x1.ce2f21a04362dp-4,
                                        -0x1.b82ce312abf08p-6,  0x1.565bcd12991cp-8,    -0x1.c02db49b09506p-11,
                                        0x1.f9a335388d2f6p-14,  -0x1.f4d333884b60dp-17, 0x1.b9ee95850fe1bp-20,
                                        -0x1.5f9828c564078p-23, 0x1.fc78cbcd5b242p-27,  -0x1.46794fecbb4b8p-30,
                                        0x1.29783048052bbp-34};
  // 1 <= x <= 6: 2^-55 of erf(x).
  static constexpr double erf_far[] = {0x1.e1b09bcdfbb3bp-22,  0x1.20dd28507bd2dp0,    0x1.45f5ddd366182p-1,
                                       0x1.a4b27eba754f9p-4,   -0x1.374fd063c48dep-6,  -0x1.9f4d271ae8658p-12,
                                       0x1.f2575d7ef8715p-10,  -0x1.8dd487e767312p-11, 0x1.0bc427d5dfd54p-13,
                                       0x1.90b0a7e3456d6p-16,  -0x1.965facfed1399p-16, 0x1.3110662e188c3p-17,
                                       -0x1.2c06fe49f26bdp-19, 0x1.a3e4bcbd3833fp-22,  -0x1.a2a66b267ee8ap-25,
                                       0x1.1ca9f8991834p-28,   -0x1.db0ca591e7b4fp-33, 0x1.6fabf54c68985p-38};
};

}  // namespace
}  // namespace netlet
