// What this machine does at best: floating-point operations a second, which a profile's per cent are of, and how soon
// one processor hears of another.
#pragma once

#include "kernels/kernels.h"

namespace netlet {

// GFLOP/s of multiply-adds over T on so many threads: the best of ten runs that take about `seconds` together.
template <class T>
double fma_peak(Isa isa, int threads, double seconds);

// Seconds that a line of cache takes to another thread, which writes it, and back: the median of a few hundred bursts'
// means, of the two processors on which the system has put both. Negative where no second thread comes.
double round_trip();

}  // namespace netlet
