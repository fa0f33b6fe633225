// dense: y[B,O] = act(x[B,I] kernel[I,O] + bias[O]?), with its gradients. Leading axes of x are rows like the batch.
//
//   dz = dy * act'(y)      dkernel = x^T dz      dbias = sum over rows of dz      dx = dz kernel^T
#include <algorithm>

#include "ops/gemm.h"
#include "ops/op.h"

namespace netlet {
namespace {

constexpr int64_t kElementwiseWorth = 1 << 14;  // elements below which one thread does it sooner

template <class T>
class Dense final : public Op<T> {
 public:
  Dense(const Program& program, const OpCall& call) : activation_(call.activation) {
    const Param& kernel = program.params[static_cast<size_t>(call.params[0])];
    kernel_ = kernel.offset;
    inputs_ = kernel.shape[0];
    outputs_ = kernel.shape[1];
    if (call.params.size() > 1) bias_ = program.params[static_cast<size_t>(call.params[1])].offset;
    outer_ = program.values[static_cast<size_t>(call.output)].size / (outputs_ ? outputs_ : 1);
  }

  void forward(const Run<T>& run, int64_t batch, const T* const* x, T* y, const T* packed) const override {
    const int64_t rows = batch * outer_;
    if (few(run, rows, inputs_, outputs_)) {
      run.kernels.few_forward(rows, inputs_, outputs_, x[0], run.params + kernel_,
                              bias_ >= 0 ? run.params + bias_ : nullptr, activation_.act == Act::relu, y);
    } else {
      GemmArgs<T> g = forward_args(rows, x[0], run.params, y);
      if (packed) g.packed_b = packed, g.packed_n = outputs_;
      gemm(run, g);
    }
    if (activation_.act != Act::linear && activation_.act != Act::relu) {
      const auto act = run.kernels.act_forward[static_cast<int>(activation_.act)];
      split_range(rows * outputs_, 64, kElementwiseWorth, run.threads,
                  [&](int64_t i, int64_t n) { act(n, static_cast<T>(activation_.alpha), y + i, y + i); });
    }
  }

  void backward(const Run<T>& run, int64_t batch, const T* const* x, const T* y, T* dy, T* const* dx,
                const T* prepared) const override {
    const int64_t rows = batch * outer_;
    if (activation_.act != Act::linear) {
      const auto act = run.kernels.act_backward[static_cast<int>(activation_.act)];
      split_range(rows * outputs_, 64, kElementwiseWorth, run.threads, [&](int64_t i, int64_t n) {
        act(n, static_cast<T>(activation_.alpha), nullptr, y + i, dy + i, dy + i);
      });
    }
    if (dx[0] && prepared && few(run, rows, outputs_, inputs_))
      run.kernels.few_forward(rows, outputs_, inputs_, dy, prepared, nullptr, false, dx[0]);
    else if (dx[0])
      gemm(run, input_args(rows, dy, run.params, prepared, dx[0]));
    if (!run.dparams) return;
    if (few(run, rows, inputs_, outputs_)) {
      FewGradients<T> g{rows, inputs_, outputs_, x[0], dy, run.dparams + kernel_, nullptr, run.accumulate};
      if (bias_ >= 0) g.dbias = run.dparams + bias_;
      if (run.descend) g.weights = run.descend + kernel_, g.rate = run.rate;
      if (run.descend && bias_ >= 0) g.bias = run.descend + bias_;
      return run.kernels.few_gradients(g);
    }
    GemmArgs<T> g = kernel_args(rows, x[0], dy, run.dparams + kernel_);
    g.accumulate = run.accumulate;
    if (run.descend) g.weights = run.descend + kernel_, g.rate = run.rate;
    gemm(run, g);
    if (bias_ >= 0)
      split_range(outputs_, 64, outputs_ * rows < kElementwiseWorth ? outputs_ + 1 : 0, run.threads,
                  [&](int64_t o, int64_t n) {
                    T* const dbias = run.dparams + bias_ + o;
                    run.kernels.column_sums(rows, n, dy + o, outputs_, dbias, run.accumulate);
                    if (run.descend) run.kernels.sgd(n, run.rate, dbias, run.descend + bias_ + o);
                  });
  }

  bool descends() const override { return true; }

  int64_t scratch(const Kernels<T>& kernels, int64_t batch) const override {
    const int64_t rows = batch * outer_;
    int64_t most = gemm_scratch(kernels, forward_args(rows, nullptr, nullptr, nullptr));
    most = std::max(most, gemm_scratch(kernels, kernel_args(rows, nullptr, nullptr, nullptr)));
    return std::max(most, gemm_scratch(kernels, input_args(rows, nullptr, nullptr, nullptr, nullptr)));
  }

  int64_t forward_scratch(const Kernels<T>& kernels, int64_t batch) const override {
    return gemm_scratch(kernels, forward_args(batch * outer_, nullptr, nullptr, nullptr));
  }

  int64_t packed_size(const Kernels<T>& kernels) const override { return kernels.gemm_packed_size(outputs_, inputs_); }
  void pack(const Kernels<T>& kernels, const T* params, T* packed) const override {
    kernels.gemm_pack(inputs_, outputs_, params + kernel_, outputs_, 1, packed);
  }

  int64_t prepared_size() const override { return inputs_ * outputs_; }
  void prepare(const Kernels<T>& kernels, const T* params, T* transposed) const override {
    kernels.transpose(inputs_, outputs_, params + kernel_, transposed);
  }

 private:
  // Whether a product of these widths has kernels of its own, and isn't worth sharing.
  static bool few(const Run<T>& run, int64_t rows, int64_t inputs, int64_t outputs) {
    const Kernels<T>& kernels = run.kernels;
    return inputs > 0 && inputs <= kernels.few_inputs && outputs <= kernels.few_outputs &&
           (run.threads <= 1 || rows * inputs * outputs < kGemmWorth);
  }

  GemmArgs<T> forward_args(int64_t rows, const T* x, const T* params, T* y) const {
    GemmArgs<T> g{rows, outputs_, inputs_, x, inputs_, 1, params + kernel_, outputs_, 1, y, outputs_};
    if (bias_ >= 0) g.bias = params + bias_;
    g.relu = activation_.act == Act::relu;
    return g;
  }
  GemmArgs<T> kernel_args(int64_t rows, const T* x, const T* dz, T* dkernel) const {
    return {inputs_, outputs_, rows, x, 1, inputs_, dz, outputs_, 1, dkernel, outputs_};
  }
  GemmArgs<T> input_args(int64_t rows, const T* dz, const T* params, const T* transposed, T* dx) const {
    if (transposed) return {rows, inputs_, outputs_, dz, outputs_, 1, transposed, inputs_, 1, dx, inputs_};
    return {rows, inputs_, outputs_, dz, outputs_, 1, params + kernel_, 1, outputs_, dx, inputs_};
  }

  Activation activation_;
  int64_t kernel_ = 0, bias_ = -1;  // offsets in the arena; no bias: -1
  int64_t inputs_ = 0, outputs_ = 0, outer_ = 1;
};

}  // namespace

template <class T>
std::unique_ptr<Op<T>> make_dense(const Program& program, const OpCall& call) {
  return std::make_unique<Dense<T>>(program, call);
}
template std::unique_ptr<Op<float>> make_dense<float>(const Program&, const OpCall&);
template std::unique_ptr<Op<double>> make_dense<double>(const Program&, const OpCall&);

}  // namespace netlet
