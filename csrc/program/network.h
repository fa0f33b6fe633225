// A Program made ready to run on one ISA: its ops, its plan, and the walks over them.
//
// A Network is immutable and shared; what a walk writes lies in a Workspace, one for each chain of rows in flight.
#pragma once

#include <memory>

#include "core/arena.h"
#include "ops/op.h"
#include "program/interrupt.h"
#include "program/laps.h"
#include "program/plan.h"

namespace netlet {

// Memory for one chain of up to `capacity` rows.
template <class T>
struct Workspace {
  int64_t capacity = 0;
  int threads = 1;  // how many have scratch
  AlignedBuffer<T> memory;
  std::vector<T*> value;       // [values]; inputs point to the caller's rows, or to `gathered`
  std::vector<T*> gradient;    // [values]; null where not wanted
  std::vector<T*> gathered;    // [inputs]: rows picked out of the caller's arrays
  T* sum = nullptr;            // gradients on their way to being added
  T* weight = nullptr;         // [capacity]: gathered sample weights
  void* target = nullptr;      // [capacity, target row]: gathered targets
  double* row_loss = nullptr;  // [capacity]
  std::vector<double> sums;    // the metrics of a shard
  T* scratch = nullptr;
  int64_t scratch_stride = 0;
  Laps* laps = nullptr;  // where a profile is taken
};

template <class T>
class Network {
 public:
  // host: null unless the Program needs one.
  Network(Program program, const Kernels<T>& kernels, std::shared_ptr<Host> host = nullptr);

  const Program& program() const { return program_; }
  const Plan& plan() const { return plan_; }
  const Kernels<T>& kernels() const { return kernels_; }
  const std::shared_ptr<Host>& host() const { return host_; }
  const Op<T>& op(int i) const { return *ops_[static_cast<size_t>(i)]; }

  // Memory for forward alone (backward null: values share memory over time), or for forward and backward.
  std::unique_ptr<Workspace<T>> workspace(int64_t capacity, int threads, const BackwardPlan* backward) const;

  // packed: per op, what its `pack` made of these params, or null.
  // Forward: with_loss, through all ops but the one whose output the loss writes; else through those that outputs
  // depend on. Values of the inputs must be bound; those of outputs may be.
  // value: [values]; a reshape's points to the same memory as its input afterwards.
  void forward(const Run<T>& run, T** value, int64_t rows, bool with_loss, Interrupt* interrupt, Laps* laps,
               const T* const* packed = nullptr) const;
  void forward(const Run<T>& run, Workspace<T>& ws, int64_t rows, bool with_loss, Interrupt* interrupt) const {
    forward(run, ws.value.data(), rows, with_loss, interrupt, ws.laps);
  }

  // Elements of scratch that forward alone needs for this many rows on one thread.
  int64_t forward_scratch(int64_t rows) const;

  // The loss of these rows: row_loss, and where ws has a gradient for its input, that gradient (factor `scale`).
  void loss(const Run<T>& run, Workspace<T>& ws, int64_t rows, const void* target, const T* weight, T scale,
            bool gradient) const;

  void metrics(const Workspace<T>& ws, int64_t rows, const void* target, const T* weight, double* sums) const;

  // Backward from gradients in place at the loss input or the outputs. `prepared`: per op, or null.
  void backward(const BackwardPlan& plan, Run<T> run, Workspace<T>& ws, int64_t rows, const T* const* prepared,
                Interrupt* interrupt) const;

  // Elements (of T, or of int32 for sparse labels) in one row of the loss's target, and their bytes.
  int64_t target_bytes() const;

 private:
  Program program_;
  Plan plan_;
  const Kernels<T>& kernels_;
  std::shared_ptr<Host> host_;
  std::vector<std::unique_ptr<Op<T>>> ops_;
};

}  // namespace netlet
