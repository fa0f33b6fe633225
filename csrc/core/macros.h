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

// NL_APART marks functions that must stay out of their caller, whose own registers and stack they would crowd.
#if defined(__GNUC__)
#define NL_APART __attribute__((noinline))
#elif defined(_MSC_VER)
#define NL_APART __declspec(noinline)
#else
#define NL_APART
#endif

// NL_UNROLL before a loop of few turns, whose number is known: every turn is written out, so that an array indexed by
// the loop lives in registers.
#if defined(__clang__)
#define NL_UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define NL_UNROLL _Pragma("GCC unroll 32")
#else
#define NL_UNROLL
#endif
