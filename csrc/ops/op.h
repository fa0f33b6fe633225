// The contract of an op: forward and backward over a batch of rows, given everything it needs.
//
// An op decides which kernels run over which ranges and, where it is given threads, how they are split. It owns no
// memory and allocates none. What it splits are output elements, so the number of threads cannot change a bit.
#pragma once

#include <memory>

#include "core/parallel.h"
#include "kernels/kernels.h"
#include "program/program.h"

namespace netlet {

// What an op is run with.
template <class T>
struct Run {
  const Kernels<T>& kernels;
  const T* params;  // the arena
  T* dparams;       // its gradient, or null where it isn't wanted
  bool accumulate;  // gradients are added to dparams; otherwise they overwrite it
  int threads;      // 1 where the rows are a shard of a batch
  T* scratch;       // threads * scratch_stride elements
  int64_t scratch_stride;
  T* descend = nullptr;  // the arena, to take a step of plain gradient descent in as each gradient is found: those that
  T rate = 0;            // can (see Op::descends) then write dparams as scratch at most
  Context context{};
  const T* state = nullptr;  // the arena of what isn't trained
  T* moving = nullptr;       // the same where it may be written: in training
};

template <class T>
class Op {
 public:
  virtual ~Op() = default;

  // y <- op(x). x[i], y: [rows, size of the value]. `packed` is what `pack` wrote, or null.
  virtual void forward(const Run<T>& run, int64_t rows, const T* const* x, T* y, const T* packed) const = 0;

  // Given dy (which it may overwrite): dx[i] <- gradient where dx[i] isn't null; run.dparams <- (or += where
  // run.accumulate) gradient where it isn't null. `prepared` is what `prepare` wrote, or null.
  virtual void backward(const Run<T>& run, int64_t rows, const T* const* x, const T* y, T* dy, T* const* dx,
                        const T* prepared) const = 0;

  // Whether backward takes run.descend's step itself, w <- w - rate * dw, once it needs w no more.
  virtual bool descends() const { return false; }

  // Elements of scratch that one thread may need for this many rows.
  virtual int64_t scratch(const Kernels<T>&, int64_t /*rows*/) const { return 0; }
  // ... that forward alone may need.
  virtual int64_t forward_scratch(const Kernels<T>& kernels, int64_t rows) const { return scratch(kernels, rows); }

  // A form of the params that forward likes better, made once where they are frozen.
  virtual int64_t packed_size(const Kernels<T>&) const { return 0; }
  virtual void pack(const Kernels<T>&, const T* /*params*/, T* /*packed*/) const {}

  // A form of the params that backward likes better, made once a step and shared by all shards of its batch.
  virtual int64_t prepared_size() const { return 0; }
  virtual void prepare(const Kernels<T>&, const T* /*params*/, T* /*prepared*/) const {}
};

template <class T>
std::unique_ptr<Op<T>> make_dense(const Program&, const OpCall&);
template <class T>
std::unique_ptr<Op<T>> make_activation(const Program&, const OpCall&);
template <class T>
std::unique_ptr<Op<T>> make_piecewise(const Program&, const OpCall&);
template <class T>
std::unique_ptr<Op<T>> make_softmax(const Program&, const OpCall&);
template <class T>
std::unique_ptr<Op<T>> make_reshape(const Program&, const OpCall&);

template <class T>
std::unique_ptr<Op<T>> make_embedding(const Program&, const OpCall&);
template <class T>
std::unique_ptr<Op<T>> make_dropout(const Program&, const OpCall&);
template <class T>
std::unique_ptr<Op<T>> make_batch_normalization(const Program&, const OpCall&);
template <class T>
std::unique_ptr<Op<T>> make_layer_normalization(const Program&, const OpCall&);
template <class T>
std::unique_ptr<Op<T>> make_merge(const Program&, const OpCall&);
template <class T>
std::unique_ptr<Op<T>> make_concatenate(const Program&, const OpCall&);

template <class T>
std::unique_ptr<Op<T>> make_prelu(const Program&, const OpCall&);
template <class T>
std::unique_ptr<Op<T>> make_repeat_vector(const Program&, const OpCall&);
template <class T>
std::unique_ptr<Op<T>> make_permute(const Program&, const OpCall&);
template <class T>
std::unique_ptr<Op<T>> make_rescale(const Program&, const OpCall&);
template <class T>
std::unique_ptr<Op<T>> make_standardize(const Program&, const OpCall&);

template <class T>
std::unique_ptr<Op<T>> make_hosted(Host&, int place, const OpCall&);

// The op at `place` of the Program's list. host: null unless the Program needs one.
template <class T>
std::unique_ptr<Op<T>> make_op(const Program& program, int place, Host* host) {
  const OpCall& call = program.ops[static_cast<size_t>(place)];
  switch (call.kind) {
    case OpKind::dense:
      return make_dense<T>(program, call);
    case OpKind::activation:
      return make_activation<T>(program, call);
    case OpKind::piecewise:
      return make_piecewise<T>(program, call);
    case OpKind::softmax:
    case OpKind::log_softmax:
      return make_softmax<T>(program, call);
    case OpKind::reshape:
      return make_reshape<T>(program, call);
    case OpKind::embedding:
      return make_embedding<T>(program, call);
    case OpKind::dropout:
      return make_dropout<T>(program, call);
    case OpKind::batch_normalization:
      return make_batch_normalization<T>(program, call);
    case OpKind::layer_normalization:
      return make_layer_normalization<T>(program, call);
    case OpKind::merge:
      return make_merge<T>(program, call);
    case OpKind::concatenate:
      return make_concatenate<T>(program, call);
    case OpKind::prelu:
      return make_prelu<T>(program, call);
    case OpKind::repeat_vector:
      return make_repeat_vector<T>(program, call);
    case OpKind::permute:
      return make_permute<T>(program, call);
    case OpKind::rescale:
      return make_rescale<T>(program, call);
    case OpKind::standardize:
      return make_standardize<T>(program, call);
    case OpKind::hosted:
      return make_hosted<T>(*host, place, call);
  }
  return nullptr;
}

// Splits [0, n) into one contiguous range a thread, on multiples of `unit`, where n is worth it: f(begin, count).
template <class F>
void split_range(int64_t n, int64_t unit, int64_t worth, int threads, F&& f) {
  const int64_t units = (n + unit - 1) / unit;
  const int64_t parts = n < worth ? 1 : units < threads ? units : threads;
  if (parts <= 1) {
    if (n > 0) f(int64_t{0}, n);
    return;
  }
  parallel_for(parts, threads, [&](int64_t p) noexcept {
    const int64_t begin = units * p / parts * unit;
    int64_t end = units * (p + 1) / parts * unit;
    if (end > n) end = n;
    if (begin < end) f(begin, end - begin);
  });
}

}  // namespace netlet
