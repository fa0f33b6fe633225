// Metrics: each adds to its slice of the float64 sums, from a batch of predictions and targets.
#pragma once

#include "program/program.h"

namespace netlet {

// target: what the loss reads: [R,P,C] of T, or [R,P] of int32 where sparse.
template <class T>
void update_metric(const MetricCall& metric, int64_t rows, const T* prediction, const void* target, bool sparse,
                   double* slice);

}  // namespace netlet
