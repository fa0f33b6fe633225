// The kernels, compiled for the neon instruction set.
#define NL_SIMD_NEON
#include "kernels/isa.inl"

NL_DEFINE_ISA(neon)
