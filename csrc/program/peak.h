// How many floating-point operations a second this machine does at best: what a profile's per cent are of.
#pragma once

#include "kernels/kernels.h"

namespace netlet {

// GFLOP/s of multiply-adds over T on so many threads: the best of ten runs that take about `seconds` together.
template <class T>
double fma_peak(Isa isa, int threads, double seconds);

}  // namespace netlet
