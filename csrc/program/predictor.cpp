// A network frozen for serving.
#include "program/predictor.h"

#include <algorithm>

namespace netlet {
namespace {

// Without what only training needs, so that no memory is kept for it.
Program for_serving(Program program) {
  if (program.inputs.size() != 1 || program.outputs.size() != 1)
    fail(Kind::value, "predictor: expected a program with one input and one output, got " +
                          std::to_string(program.inputs.size()) + " and " + std::to_string(program.outputs.size()));
  program.has_loss = program.has_optimizer = false;
  program.loss = {};
  program.metrics.clear();
  program.sums_size = 2;
  return program;
}

}  // namespace

template <class T>
Predictor<T>::Predictor(Program program, const Kernels<T>& kernels, const T* params, int threads)
    : network_(for_serving(std::move(program)), kernels),
      params_(network_.program().param_size),
      pool_(network_),
      forward_(network_, pool_, threads) {
  std::copy_n(params, params_.size(), params_.data());
}

template class Predictor<float>;
template class Predictor<double>;

}  // namespace netlet
