// The memory of a training step, kept from one step to the next, and the order of rows in the epoch.
#pragma once

#include <optional>

#include "core/philox.h"
#include "core/thread_choice.h"
#include "program/executor.h"
#include "program/schedule.h"

namespace netlet {

template <class T>
struct Executor<T>::Training {
  int64_t capacity = 0;  // rows of the largest batch so far
  int64_t shard_rows = 0;
  BackwardPlan plan;
  bool descends = false;             // plain gradient descent, which each op can take by itself as it goes
  AlignedBuffer<T> gradient;         // the batch's, [param_size]
  AlignedBuffer<T> shard_gradients;  // [shards - 1, stride]: the first shard writes the batch's
  int64_t stride = 0;
  std::vector<std::unique_ptr<Workspace<T>>> shards;
  AlignedBuffer<T> prepared;    // transposed kernels and the like, of the ops in the plan
  std::vector<T*> prepared_of;  // [ops]; null where backward has no use for it
  std::vector<int64_t> permutation;
  Shuffle permuted{0, 0};
  std::optional<ThreadChoice> choice;  // for steps of chosen_for flops
  double chosen_for = 0;

  // Memory for batches of this many rows; what is there already stays. plain: whether the optimizer is plain descent.
  void reserve(const Network<T>& network, bool plain, int64_t rows, bool row_sharded, int threads);

  // The rows' order in this epoch: Durstenfeld's shuffle over Philox.
  const int64_t* order(const Kernels<T>& kernels, Shuffle shuffle, int64_t rows);

  T* gradient_of(int64_t shard) { return shard == 0 ? gradient.data() : shard_gradients.data() + (shard - 1) * stride; }
};

}  // namespace netlet
