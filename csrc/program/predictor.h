// A network frozen for serving: the Program, a copy of its weights, and nothing that a call changes for another.
//
// Any number of threads may run one Predictor at once, beside the training of the network it was taken from: there is
// no lock. Its bits are those of Executor::predict, whose walk (forward.h) it shares.
#pragma once

#include "program/forward.h"

namespace netlet {

template <class T>
class Predictor {
 public:
  // params: [param_size], state: [state_size], copied. Loss, optimizer and metrics are dropped. Fails with Kind::value
  // unless the program has one input and one output.
  Predictor(Program program, const Kernels<T>& kernels, const T* params, const T* state, int threads);

  // out [rows, output_size] <- the network of x [rows, input_size]; they must not overlap.
  void run(int64_t rows, const T* x, T* out, Interrupt interrupt = Interrupt()) const {
    forward_.run(params_.data(), state_.data(), rows, &x, &out, kBatch, interrupt);
  }

  int64_t input_size() const { return size(network_.program().inputs[0]); }
  int64_t output_size() const { return size(network_.program().outputs[0]); }
  double flops() const { return network_.plan().flops; }  // of a row

 private:
  static constexpr int64_t kBatch = 1024;  // rows at a time, where the network is large; no bit depends on it

  int64_t size(int value) const { return network_.program().values[static_cast<size_t>(value)].size; }

  Network<T> network_;
  AlignedBuffer<T> params_, state_;
  AlignedBuffer<T> packed_;
  std::vector<const T*> packed_of_;  // [ops]; null where an op has no use for it
  WorkspacePool<T> pool_;
  Forward<T> forward_;
};

}  // namespace netlet
