// cpuid and xgetbv, read by hand: what a compiler's own list calls a level differs between versions.
#include "core/isa.h"

#include <cstdint>
#include <string>

#include "core/error.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>
#endif

namespace netlet {
namespace {

#if defined(__x86_64__) && defined(__GNUC__)

struct Cpuid {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

// Zeros where the processor does not have the leaf.
Cpuid cpuid(uint32_t leaf) {
  Cpuid r;
  __get_cpuid_count(leaf, 0, &r.eax, &r.ebx, &r.ecx, &r.edx);
  return r;
}

bool has(uint32_t word, uint32_t bits) { return (word & bits) == bits; }

// Which register files the operating system saves.
uint32_t xcr0() {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

bool x86_supported(Isa isa) {
  const Cpuid one = cpuid(1), seven = cpuid(7), extended = cpuid(0x80000001u);
  const bool v2 = has(one.ecx, bit_SSE3 | bit_SSSE3 | bit_CMPXCHG16B | bit_SSE4_1 | bit_SSE4_2 | bit_POPCNT) &&
                  has(extended.ecx, bit_LAHF_LM);
  if (isa == Isa::baseline) return v2;

  if (!v2 || !has(one.ecx, bit_OSXSAVE)) return false;
  const uint32_t saved = xcr0();
  constexpr uint32_t sse_avx = 0x6, zmm = 0xe6;  // bits 1, 2; and 5, 6, 7 for opmask and the two parts of zmm
  const bool v3 = has(saved, sse_avx) && has(one.ecx, bit_AVX | bit_FMA | bit_F16C | bit_MOVBE) &&
                  has(seven.ebx, bit_AVX2 | bit_BMI | bit_BMI2) && has(extended.ecx, bit_LZCNT);
  if (isa == Isa::avx2) return v3;

#if defined(NL_EMULATE_AVX512)  // tests only, in simd/vec_avx512.h too
  if (isa == Isa::avx512) return v3;
#endif
  return isa == Isa::avx512 && v3 && has(saved, zmm) &&
         has(seven.ebx, bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL);
}

#endif

}  // namespace

bool supported(Isa isa) noexcept {
#if defined(__x86_64__) && defined(__GNUC__)
  return x86_supported(isa);
#elif defined(__aarch64__)
  return isa == Isa::neon;  // part of every AArch64
#else
  static_cast<void>(isa);
  return false;
#endif
}

Isa detect() {
  for (const Isa isa : {Isa::neon, Isa::avx512, Isa::avx2, Isa::baseline})
    if (supported(isa)) return isa;
  fail(Kind::runtime, "isa: this processor has none of baseline (x86-64-v2), avx2, avx512, neon");
}

const char* name(Isa isa) noexcept {
  switch (isa) {
    case Isa::baseline:
      return "baseline";
    case Isa::avx2:
      return "avx2";
    case Isa::avx512:
      return "avx512";
    case Isa::neon:
      return "neon";
  }
  return "unknown";
}

Isa parse(std::string_view text) {
  for (const Isa isa : kAllIsas)
    if (text == name(isa)) return isa;
  fail(Kind::value, "isa: expected baseline, avx2, avx512 or neon, got '" + std::string(text) + "'");
}

}  // namespace netlet
