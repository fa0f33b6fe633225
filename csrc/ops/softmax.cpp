// softmax and log_softmax along the last axis; formulas are in kernels/softmax.inl.
#include "ops/op.h"

namespace netlet {
namespace {

template <class T>
class Softmax final : public Op<T> {
 public:
  Softmax(const Program& program, const OpCall& call) : log_(call.kind == OpKind::log_softmax) {
    const Value& y = program.values[static_cast<size_t>(call.output)];
    classes_ = y.shape.back();
    outer_ = y.size / (classes_ ? classes_ : 1);
  }

  void forward(const Run<T>& run, int64_t batch, const T* const* x, T* y, const T*) const override {
    const auto f = log_ ? run.kernels.log_softmax_forward : run.kernels.softmax_forward;
    split_rows(run, batch, [&](int64_t r, int64_t n) { f(n, classes_, x[0] + r * classes_, y + r * classes_); });
  }

  void backward(const Run<T>& run, int64_t batch, const T* const*, const T* y, T* dy, T* const* dx,
                const T*) const override {
    if (!dx[0]) return;
    const auto f = log_ ? run.kernels.log_softmax_backward : run.kernels.softmax_backward;
    split_rows(run, batch, [&](int64_t r, int64_t n) {
      f(n, classes_, y + r * classes_, dy + r * classes_, dx[0] + r * classes_);
    });
  }

 private:
  template <class F>
  void split_rows(const Run<T>& run, int64_t batch, F&& f) const {
    const int64_t rows = batch * outer_;
    split_range(rows, 1, rows * classes_ < (1 << 14) ? rows + 1 : 0, run.threads, f);
  }

  bool log_;
  int64_t classes_ = 1, outer_ = 1;
};

}  // namespace

template <class T>
std::unique_ptr<Op<T>> make_softmax(const Program& program, const OpCall& call) {
  return std::make_unique<Softmax<T>>(program, call);
}
template std::unique_ptr<Op<float>> make_softmax<float>(const Program&, const OpCall&);
template std::unique_ptr<Op<double>> make_softmax<double>(const Program&, const OpCall&);

}  // namespace netlet
