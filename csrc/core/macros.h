// Compiler-dependent spellings that every C++ file of Netlet may use.
#pragma once

// NL_FN marks functions that must vanish into their caller: everything over Vec, and everything in a header that
// files with different ISA flags share. Nothing out of line remains that the linker could keep for the wrong CPU.
#if defined(__CUDACC__)
#define NL_FN __host__ __device__ __forceinline__
#elif defined(__GNUC__)
#define NL_FN inline __attribute__((always_inline))
#elif defined(_MSC_VER)
#define NL_FN __forceinline
#else
#define NL_FN inline
#endif
