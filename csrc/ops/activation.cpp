// activation: y = act(x), elementwise. Formulas and gradients are in kernels/activation.inl and kernels/piecewise.inl.
#include "ops/op.h"

namespace netlet {
namespace {

constexpr int64_t kWorth = 1 << 14;  // elements below which one thread does it sooner

template <class T>
class ActivationOp final : public Op<T> {
 public:
  ActivationOp(const Program& program, const OpCall& call)
      : activation_(call.activation), size_(program.values[static_cast<size_t>(call.output)].size) {}

  void forward(const Run<T>& run, int64_t rows, const T* const* x, T* y, const T*) const override {
    const auto act = run.kernels.act_forward[static_cast<int>(activation_.act)];
    split_range(rows * size_, 64, kWorth, run.threads,
                [&](int64_t i, int64_t n) { act(n, static_cast<T>(activation_.alpha), x[0] + i, y + i); });
  }

  void backward(const Run<T>& run, int64_t rows, const T* const* x, const T* y, T* dy, T* const* dx,
                const T*) const override {
    if (!dx[0]) return;
    const auto act = run.kernels.act_backward[static_cast<int>(activation_.act)];
    split_range(rows * size_, 64, kWorth, run.threads, [&](int64_t i, int64_t n) {
      act(n, static_cast<T>(activation_.alpha), x[0] + i, y + i, dy + i, dx[0] + i);
    });
  }

 private:
  Activation activation_;
  int64_t size_;
};

template <class T>
class PiecewiseOp final : public Op<T> {
 public:
  PiecewiseOp(const Program& program, const OpCall& call)
      : f_{static_cast<T>(call.piecewise.threshold), static_cast<T>(call.piecewise.scale),
           static_cast<T>(call.piecewise.value), static_cast<T>(call.piecewise.low),
           static_cast<T>(call.piecewise.high)},
        size_(program.values[static_cast<size_t>(call.output)].size) {}

  void forward(const Run<T>& run, int64_t rows, const T* const* x, T* y, const T*) const override {
    split_range(rows * size_, 64, kWorth, run.threads,
                [&](int64_t i, int64_t n) { run.kernels.piecewise_forward(n, f_, x[0] + i, y + i); });
  }

  void backward(const Run<T>& run, int64_t rows, const T* const* x, const T*, T* dy, T* const* dx,
                const T*) const override {
    if (!dx[0]) return;
    split_range(rows * size_, 64, kWorth, run.threads,
                [&](int64_t i, int64_t n) { run.kernels.piecewise_backward(n, f_, x[0] + i, dy + i, dx[0] + i); });
  }

 private:
  Piecewise<T> f_;
  int64_t size_;
};

}  // namespace

template <class T>
std::unique_ptr<Op<T>> make_activation(const Program& program, const OpCall& call) {
  return std::make_unique<ActivationOp<T>>(program, call);
}
template std::unique_ptr<Op<float>> make_activation<float>(const Program&, const OpCall&);
template std::unique_ptr<Op<double>> make_activation<double>(const Program&, const OpCall&);

template <class T>
std::unique_ptr<Op<T>> make_piecewise(const Program& program, const OpCall& call) {
  return std::make_unique<PiecewiseOp<T>>(program, call);
}
template std::unique_ptr<Op<float>> make_piecewise<float>(const Program&, const OpCall&);
template std::unique_ptr<Op<double>> make_piecewise<double>(const Program&, const OpCall&);

}  // namespace netlet
