// The kernels, compiled for the baseline instruction set.
#define NL_SIMD_BASELINE
#include "kernels/isa.inl"

NL_DEFINE_ISA(baseline)
