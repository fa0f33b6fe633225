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
  if (program.hosted) fail(Kind::value, "predictor: the program needs its host");
  program.has_loss = program.has_optimizer = false;
  program.loss = {};
  program.metrics.clear();
  program.sums_size = 2;
  return program;
}

}  // namespace

template <class T>
Predictor<T>::Predictor(Program program, const Kernels<T>& kernels, const T* params, const T* state, int threads)
    : network_(for_serving(std::move(program)), kernels),
      params_(network_.program().param_size),
      state_(network_.program().state_size),
      packed_of_(network_.program().ops.size(), nullptr),
      pool_(network_),
      forward_(network_, pool_, threads, packed_of_.data()) {
  std::copy_n(params, params_.size(), params_.data());
  std::copy_n(state, state_.size(), state_.data());
  int64_t size = 0;
  const int ops = static_cast<int>(packed_of_.size());
  auto place = [&](int op) {
    const int64_t begin = size;
    size = checked_add(size, checked_add(network_.op(op).packed_size(kernels), 15) / 16 * 16);
    return begin;
  };
  for (int op = 0; op < ops; ++op) place(op);
  packed_ = AlignedBuffer<T>(size);
  size = 0;
  for (int op = 0; op < ops; ++op) {
    T* const packed = packed_.data() + place(op);
    if (network_.op(op).packed_size(kernels) == 0) continue;
    network_.op(op).pack(kernels, params_.data(), packed);
    packed_of_[static_cast<size_t>(op)] = packed;
  }
}

template class Predictor<float>;
template class Predictor<double>;

}  // namespace netlet
