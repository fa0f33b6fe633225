// The kernels, compiled for the avx2 instruction set.
#define NL_SIMD_AVX2
#include "kernels/isa.inl"

NL_DEFINE_ISA(avx2)
