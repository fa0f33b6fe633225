// activation: y = act(x), elementwise. Formulas and gradients are in kernels/activation.inl.
#include "ops/op.h"

namespace netlet {
namespace {

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
  static constexpr int64_t kWorth = 1 << 14;
  Activation activation_;
  int64_t size_;
};

}  // namespace

template <class T>
std::unique_ptr<Op<T>> make_activation(const Program& program, const OpCall& call) {
  return std::make_unique<ActivationOp<T>>(program, call);
}
template std::unique_ptr<Op<float>> make_activation<float>(const Program&, const OpCall&);
template std::unique_ptr<Op<double>> make_activation<double>(const Program&, const OpCall&);

}  // namespace netlet
