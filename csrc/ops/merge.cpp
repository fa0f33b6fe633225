// merge: add, subtract, multiply, average, maximum or minimum of several values; formulas are in kernels/merge.inl.
//
// Values of one shape go through a kernel as they are. Where some have axes of length 1 beside longer ones, a row at a
// time is spread out to the shape of the output, and gradients are summed back along those axes in their order.
#include <algorithm>
#include <cstring>
#include <vector>

#include "ops/op.h"
#include "ops/walk.h"

namespace netlet {
namespace {

constexpr int64_t kWorth = 1 << 14;  // elements below which one thread does it sooner

template <class T>
class MergeOp final : public Op<T> {
 public:
  MergeOp(const Program& program, const OpCall& call)
      : merge_(call.merge), count_(static_cast<int>(call.inputs.size())) {
    const Value& y = program.values[static_cast<size_t>(call.output)];
    size_ = y.size;
    for (int v : call.inputs) {
      const Value& x = program.values[static_cast<size_t>(v)];
      sizes_.push_back(x.size);
      walks_.push_back(Walk::spread(y.shape.dims(), x.shape.dims()));
      spreads_ = spreads_ || x.size != size_;
    }
  }

  void forward(const Run<T>& run, int64_t rows, const T* const* x, T* y, const T*) const override {
    const auto f = run.kernels.merge_forward[static_cast<int>(merge_)];
    const T* at[kMostInputs];
    if (!spreads_) {
      split_range(rows * size_, 64, kWorth, run.threads, [&](int64_t i, int64_t n) {
        const T* part[kMostInputs];
        for (int j = 0; j < count_; ++j) part[j] = x[j] + i;
        f(n, count_, part, y + i);
      });
      return;
    }
    for (int64_t r = 0; r < rows; ++r) {
      spread(r, x, run.scratch, at);
      f(size_, count_, at, y + r * size_);
    }
  }

  void backward(const Run<T>& run, int64_t rows, const T* const* x, const T* y, T* dy, T* const* dx,
                const T*) const override {
    const auto f = run.kernels.merge_backward[static_cast<int>(merge_)];
    if (!spreads_) {
      split_range(rows * size_, 64, kWorth, run.threads, [&](int64_t i, int64_t n) {
        const T* part[kMostInputs];
        T* to[kMostInputs];
        for (int j = 0; j < count_; ++j) part[j] = x[j] + i, to[j] = dx[j] ? dx[j] + i : nullptr;
        f(n, count_, part, y + i, dy + i, to);
      });
      return;
    }
    const T* at[kMostInputs];
    T* to[kMostInputs];
    for (int64_t r = 0; r < rows; ++r) {
      spread(r, x, run.scratch, at);
      for (size_t j = 0; j < sizes_.size(); ++j)
        to[j] = !dx[j]               ? nullptr
                : sizes_[j] == size_ ? dx[j] + r * size_
                                     : run.scratch + (static_cast<int64_t>(sizes_.size() + j)) * size_;
      f(size_, count_, at, y + r * size_, dy + r * size_, to);
      for (size_t j = 0; j < sizes_.size(); ++j)
        if (to[j] && sizes_[j] != size_) {
          T* const sum = dx[j] + r * sizes_[j];
          std::fill_n(sum, sizes_[j], T(0));
          walks_[j]([&](int64_t narrow, int64_t wide) { sum[narrow] += to[j][wide]; });
        }
    }
  }

  int64_t scratch(const Kernels<T>&, int64_t) const override { return spreads_ ? 2 * count_ * size_ : 0; }
  int64_t forward_scratch(const Kernels<T>&, int64_t) const override { return spreads_ ? count_ * size_ : 0; }

 private:
  // at[j] <- row r of x[j], in the shape of the output.
  void spread(int64_t r, const T* const* x, T* scratch, const T** at) const {
    for (size_t j = 0; j < sizes_.size(); ++j) {
      const T* const from = x[j] + r * sizes_[j];
      at[j] = from;
      if (sizes_[j] == size_) continue;
      T* const to = scratch + static_cast<int64_t>(j) * size_;
      walks_[j]([&](int64_t narrow, int64_t wide) { to[wide] = from[narrow]; });
      at[j] = to;
    }
  }

  Merge merge_;
  int count_;
  std::vector<int64_t> sizes_;  // of a row of each input
  std::vector<Walk> walks_;     // over the output, with the places in each input
  int64_t size_ = 1;
  bool spreads_ = false;
};

// y = the inputs side by side along an axis.
template <class T>
class Concatenate final : public Op<T> {
 public:
  Concatenate(const Program& program, const OpCall& call) {
    const Value& y = program.values[static_cast<size_t>(call.output)];
    for (size_t axis = 0; axis < static_cast<size_t>(call.axis); ++axis) outer_ *= y.shape.dims()[axis];
    width_ = y.size / outer_;
    for (int v : call.inputs) widths_.push_back(program.values[static_cast<size_t>(v)].size / outer_);
  }

  void forward(const Run<T>& run, int64_t rows, const T* const* x, T* y, const T*) const override {
    split(run, rows, [&](int64_t r, size_t j, int64_t offset) {
      std::memcpy(y + r * width_ + offset, x[j] + r * widths_[j], bytes(j));
    });
  }

  void backward(const Run<T>& run, int64_t rows, const T* const*, const T*, T* dy, T* const* dx,
                const T*) const override {
    split(run, rows, [&](int64_t r, size_t j, int64_t offset) {
      if (dx[j]) std::memcpy(dx[j] + r * widths_[j], dy + r * width_ + offset, bytes(j));
    });
  }

 private:
  size_t bytes(size_t j) const { return static_cast<size_t>(widths_[j]) * sizeof(T); }

  // f(row, input, where it begins in that row of the output)
  template <class F>
  void split(const Run<T>& run, int64_t batch, F&& f) const {
    const int64_t rows = batch * outer_;
    split_range(rows, 1, rows * width_ < kWorth ? rows + 1 : 0, run.threads, [&](int64_t first, int64_t n) {
      for (int64_t r = first; r < first + n; ++r) {
        int64_t offset = 0;
        for (size_t j = 0; j < widths_.size(); offset += widths_[j++]) f(r, j, offset);
      }
    });
  }

  int64_t outer_ = 1, width_ = 1;  // rows of the axis and what follows it, per row of the batch
  std::vector<int64_t> widths_;
};

}  // namespace

template <class T>
std::unique_ptr<Op<T>> make_merge(const Program& program, const OpCall& call) {
  return std::make_unique<MergeOp<T>>(program, call);
}
template std::unique_ptr<Op<float>> make_merge<float>(const Program&, const OpCall&);
template std::unique_ptr<Op<double>> make_merge<double>(const Program&, const OpCall&);

template <class T>
std::unique_ptr<Op<T>> make_concatenate(const Program& program, const OpCall& call) {
  return std::make_unique<Concatenate<T>>(program, call);
}
template std::unique_ptr<Op<float>> make_concatenate<float>(const Program&, const OpCall&);
template std::unique_ptr<Op<double>> make_concatenate<double>(const Program&, const OpCall&);

}  // namespace netlet
