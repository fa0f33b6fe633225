// The forward pass over a caller's rows, for everyone who predicts: cut into blocks, spread over threads, each block
// carried through the network with its outputs written straight to the caller where they can be.
//
// Any number of threads may run one Forward at once. A row's outputs are the same bits however it is cut.
#pragma once

#include <array>

#include "core/thread_choice.h"
#include "program/workspace_pool.h"

namespace netlet {

template <class T>
class Forward {
 public:
  // Refers to the network, the pool and packed, which outlive it. packed: per op, what its `pack` made of the params
  // that run will be given, or null where they may change.
  Forward(const Network<T>& network, WorkspacePool<T>& pool, int threads, const T* const* packed = nullptr);

  // out[i] [rows, size of output i] <- the network of x[i] [rows, size of input i]. No x may overlap an out.
  // batch: rows at a time in a network too large to be row-sharded. watch: where a profile is taken, else null.
  void run(const T* params, const T* state, int64_t rows, const T* const* x, T* const* out, int64_t batch,
           Interrupt interrupt, Watch* watch = nullptr) const;

  // Whether one thread may serve where that is faster. By default as NETLET_DYNAMIC says; not while anybody runs it.
  bool dynamic() const { return dynamic_; }
  void set_dynamic(bool dynamic) { dynamic_ = dynamic; }

 private:
  // A few rows of a small network live on the stack: no workspace is fetched, so concurrent callers share nothing that
  // any of them writes.
  static constexpr int64_t kFewRows = 64 / static_cast<int64_t>(sizeof(T));  // each value then begins on a cache line
  static constexpr int64_t kFewBytes = 16 << 10;  // a thread's stack may be as little as 128 KB
  static constexpr size_t kFewValues = 64;

  void run_on(int threads, const T* params, const T* state, int64_t rows, const T* const* x, T* const* out,
              int64_t batch, Interrupt interrupt, Watch* watch) const;
  void few(const T* params, const T* state, int64_t rows, const T* const* x, T* const* out) const;
  Run<T> run_with(const T* params, const T* state, int threads, T* scratch, int64_t stride) const;
  void block(const Run<T>& run, T** value, int64_t begin, int64_t count, const T* const* x, T* const* out,
             Interrupt* interrupt, Laps* laps) const;

  const Network<T>& network_;
  WorkspacePool<T>& pool_;
  const T* const* packed_;
  int threads_;
  bool row_sharded_, few_fit_, dynamic_;
  int64_t few_scratch_;                           // elements
  mutable std::array<ThreadChoice, 12> choices_;  // by the size of the call
};

}  // namespace netlet
