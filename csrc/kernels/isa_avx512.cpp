// The kernels, compiled for the avx512 instruction set.
#define NL_SIMD_AVX512
#include "kernels/isa.inl"

NL_DEFINE_ISA(avx512)
