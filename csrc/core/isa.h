// Which of the instruction sets that kernels are compiled for this machine can run.
#pragma once

#include <string_view>

namespace netlet {

// baseline: x86-64-v2 (SSE4.2); avx2: x86-64-v3 (with FMA); avx512: v3 and F, BW, DQ, VL; neon: AArch64.
enum class Isa { baseline, avx2, avx512, neon };
inline constexpr Isa kAllIsas[] = {Isa::baseline, Isa::avx2, Isa::avx512, Isa::neon};

// Whether the processor has the instructions and the operating system saves the registers.
bool supported(Isa isa) noexcept;

// The best supported one. Error (Kind::runtime) where there is none.
Isa detect();

const char* name(Isa isa) noexcept;

// The one called `text`. Error (Kind::value) where there is none.
Isa parse(std::string_view text);

}  // namespace netlet
