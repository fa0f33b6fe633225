// repeat_vector: y[B,n,N] = x[B,N] n times; permute: the axes of a row in another order.
#include <cstring>

#include "ops/op.h"
#include "ops/walk.h"

namespace netlet {
namespace {

constexpr int64_t kWorth = 1 << 14;  // elements below which one thread does it sooner

template <class T>
class RepeatVector final : public Op<T> {
 public:
  RepeatVector(const Program& program, const OpCall& call)
      : width_(program.values[static_cast<size_t>(call.inputs[0])].size),
        times_(program.values[static_cast<size_t>(call.output)].size / width_) {}

  void forward(const Run<T>&, int64_t batch, const T* const* x, T* y, const T*) const override {
    for (int64_t r = 0; r < batch * times_; ++r)
      std::memcpy(y + r * width_, x[0] + r / times_ * width_, static_cast<size_t>(width_) * sizeof(T));
  }

  void backward(const Run<T>& run, int64_t batch, const T* const*, const T*, T* dy, T* const* dx,
                const T*) const override {
    if (!dx[0]) return;
    for (int64_t r = 0; r < batch; ++r)
      run.kernels.column_sums(times_, width_, dy + r * times_ * width_, width_, dx[0] + r * width_, false);
  }

 private:
  int64_t width_, times_;
};

template <class T>
class Permute final : public Op<T> {
 public:
  Permute(const Program& program, const OpCall& call)
      : size_(program.values[static_cast<size_t>(call.output)].size), walk_({}, {}) {
    const std::vector<int64_t>& from = program.values[static_cast<size_t>(call.inputs[0])].shape.dims();
    std::vector<int64_t> step(from.size(), 1), steps;
    for (size_t axis = from.size(); axis-- > 1;) step[axis - 1] = step[axis] * from[axis];
    for (int64_t axis : call.axes) steps.push_back(step[static_cast<size_t>(axis - 1)]);
    walk_ = Walk(program.values[static_cast<size_t>(call.output)].shape.dims(), std::move(steps));
  }

  void forward(const Run<T>& run, int64_t batch, const T* const* x, T* y, const T*) const override {
    each_row(run, batch, [&](int64_t at) {
      walk_([from = x[0] + at, to = y + at](int64_t there, int64_t here) { to[here] = from[there]; });
    });
  }

  void backward(const Run<T>& run, int64_t batch, const T* const*, const T*, T* dy, T* const* dx,
                const T*) const override {
    if (!dx[0]) return;
    each_row(run, batch, [&](int64_t at) {
      walk_([from = dy + at, to = dx[0] + at](int64_t there, int64_t here) { to[there] = from[here]; });
    });
  }

 private:
  template <class F>
  void each_row(const Run<T>& run, int64_t batch, F&& f) const {
    split_range(batch, 1, batch * size_ < kWorth ? batch + 1 : 0, run.threads, [&](int64_t first, int64_t n) {
      for (int64_t r = first; r < first + n; ++r) f(r * size_);
    });
  }

  int64_t size_;
  Walk walk_;  // over the output, with the places in the input
};

}  // namespace

template <class T>
std::unique_ptr<Op<T>> make_repeat_vector(const Program& program, const OpCall& call) {
  return std::make_unique<RepeatVector<T>>(program, call);
}
template std::unique_ptr<Op<float>> make_repeat_vector<float>(const Program&, const OpCall&);
template std::unique_ptr<Op<double>> make_repeat_vector<double>(const Program&, const OpCall&);

template <class T>
std::unique_ptr<Op<T>> make_permute(const Program& program, const OpCall& call) {
  return std::make_unique<Permute<T>>(program, call);
}
template std::unique_ptr<Op<float>> make_permute<float>(const Program&, const OpCall&);
template std::unique_ptr<Op<double>> make_permute<double>(const Program&, const OpCall&);

}  // namespace netlet
