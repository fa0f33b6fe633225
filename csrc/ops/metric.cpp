// Metrics: each adds to its slice of the float64 sums, from a batch of predictions and targets.
//
//   mean_squared_error, mean_absolute_error   [sum over positions of the mean over classes, positions]
//   *_accuracy                                [correct positions, positions]; binary: the mean over classes
//   confusion                                 [tp, fp, fn, tn], each one number or one for each class
// Of equal maxima the first counts, as in NumPy's argmax; for confusion all of them do, unless they are 0, as in Keras.
#include "ops/metric.h"

#include <cmath>

namespace netlet {
namespace {

template <class T>
int64_t argmax(const T* x, int64_t n) {
  int64_t best = 0;
  for (int64_t i = 1; i < n; ++i)
    if (x[i] > x[best]) best = i;
  return best;
}

template <class T>
struct Positions {
  int64_t count, classes;
  const T* prediction;
  const T* dense;  // the targets, one of these two
  const int32_t* labels;

  int64_t label(int64_t p) const { return labels ? labels[p] : argmax(dense + p * classes, classes); }
};

template <class T, class F>
double sum_of_means(const Positions<T>& at, F f) {
  double sum = 0;
  for (int64_t p = 0; p < at.count; ++p) {
    double row = 0;
    for (int64_t c = 0; c < at.classes; ++c) {
      const int64_t i = p * at.classes + c;
      row += static_cast<double>(f(at.prediction[i], at.dense[i]));
    }
    sum += row / static_cast<double>(at.classes);
  }
  return sum;
}

template <class T>
double correct(const Positions<T>& at) {
  int64_t right = 0;
  for (int64_t p = 0; p < at.count; ++p) right += argmax(at.prediction + p * at.classes, at.classes) == at.label(p);
  return static_cast<double>(right);
}

template <class T>
void confusion(const MetricCall& metric, const Positions<T>& at, double* slice) {
  const int64_t stride = metric.per_class ? at.classes : 1;
  const T threshold = static_cast<T>(metric.threshold);
  for (int64_t p = 0; p < at.count; ++p) {
    const T* x = at.prediction + p * at.classes;
    const T largest = metric.argmax ? x[argmax(x, at.classes)] : threshold;
    for (int64_t c = 0; c < at.classes; ++c) {
      const bool truth = at.labels ? at.labels[p] == c : at.dense[p * at.classes + c] != T(0);
      const bool guess = metric.argmax ? x[c] == largest && std::fabs(x[c]) > T(1e-9) : x[c] > threshold;
      const int64_t cell = guess ? (truth ? 0 : 1) : (truth ? 2 : 3);
      slice[cell * stride + (metric.per_class ? c : 0)] += 1;
    }
  }
}

}  // namespace

template <class T>
void update_metric(const MetricCall& metric, int64_t rows, const T* prediction, const void* target, bool sparse,
                   double* slice) {
  const Positions<T> at{rows * metric.positions, metric.classes, prediction,
                        sparse ? nullptr : static_cast<const T*>(target),
                        sparse ? static_cast<const int32_t*>(target) : nullptr};
  const T threshold = static_cast<T>(metric.threshold);
  switch (metric.kind) {
    case MetricKind::mean_squared_error:
      slice[0] += sum_of_means(at, [](T x, T y) { return (x - y) * (x - y); });
      break;
    case MetricKind::mean_absolute_error:
      slice[0] += sum_of_means(at, [](T x, T y) { return std::fabs(x - y); });
      break;
    case MetricKind::binary_accuracy:
      slice[0] += sum_of_means(at, [=](T x, T y) { return T((x > threshold ? T(1) : T(0)) == y); });
      break;
    case MetricKind::categorical_accuracy:
    case MetricKind::sparse_categorical_accuracy:
      slice[0] += correct(at);
      break;
    case MetricKind::hosted:
      return;
    case MetricKind::confusion:
      return confusion(metric, at, slice);
  }
  slice[1] += static_cast<double>(at.count);
}

template void update_metric<float>(const MetricCall&, int64_t, const float*, const void*, bool, double*);
template void update_metric<double>(const MetricCall&, int64_t, const double*, const void*, bool, double*);

}  // namespace netlet
