// prelu: y = x above 0, alpha x elsewhere; alpha has a number for each element of a row, or shares them along axes.
//
//   dx = dy above 0, alpha dy elsewhere      dalpha = sum of dy min(x, 0), over the rows in order, then over what
//   shares
#include <algorithm>
#include <cstring>

#include "ops/op.h"
#include "ops/walk.h"

namespace netlet {
namespace {

constexpr int64_t kWorth = 1 << 14;  // elements below which one thread does it sooner

template <class T>
class Prelu final : public Op<T> {
 public:
  Prelu(const Program& program, const OpCall& call)
      : alpha_(program.params[static_cast<size_t>(call.params[0])]),
        size_(program.values[static_cast<size_t>(call.output)].size),
        walk_(Walk::spread(program.values[static_cast<size_t>(call.output)].shape.dims(), alpha_.shape.dims())) {}

  void forward(const Run<T>& run, int64_t batch, const T* const* x, T* y, const T*) const override {
    const T* const alpha = spread(run);
    split_rows(run, batch, [&](int64_t r, int64_t n) {
      run.kernels.prelu_forward(n, size_, alpha, x[0] + r * size_, y + r * size_);
    });
  }

  void backward(const Run<T>& run, int64_t batch, const T* const* x, const T*, T* dy, T* const* dx,
                const T*) const override {
    const T* const alpha = spread(run);
    if (dx[0])
      split_rows(run, batch, [&](int64_t r, int64_t n) {
        run.kernels.prelu_backward(n, size_, alpha, x[0] + r * size_, dy + r * size_, dx[0] + r * size_);
      });
    if (!run.dparams) return;
    T *const dalpha = run.dparams + alpha_.offset, *const sums = shares() ? run.scratch + size_ : dalpha;
    split_range(size_, 16, batch * size_ < kWorth ? size_ + 1 : 0, run.threads, [&](int64_t c, int64_t n) {
      run.kernels.prelu_sums(batch, n, size_, x[0] + c, dy + c, sums + c, run.accumulate && !shares());
    });
    if (!shares()) return;
    if (!run.accumulate) std::fill_n(dalpha, alpha_.size, T(0));
    walk_([&](int64_t there, int64_t here) { dalpha[there] += sums[here]; });
  }

  int64_t scratch(const Kernels<T>&, int64_t) const override { return shares() ? 2 * size_ : 0; }
  int64_t forward_scratch(const Kernels<T>&, int64_t) const override { return shares() ? size_ : 0; }

 private:
  bool shares() const { return alpha_.size != size_; }

  // alpha for each element of a row
  const T* spread(const Run<T>& run) const {
    const T* const alpha = run.params + alpha_.offset;
    if (!shares()) return alpha;
    walk_([&](int64_t there, int64_t here) { run.scratch[here] = alpha[there]; });
    return run.scratch;
  }

  template <class F>
  void split_rows(const Run<T>& run, int64_t batch, F&& f) const {
    split_range(batch, 1, batch * size_ < kWorth ? batch + 1 : 0, run.threads, f);
  }

  Param alpha_;
  int64_t size_;
  Walk walk_;
};

}  // namespace

template <class T>
std::unique_ptr<Op<T>> make_prelu(const Program& program, const OpCall& call) {
  return std::make_unique<Prelu<T>>(program, call);
}
template std::unique_ptr<Op<float>> make_prelu<float>(const Program&, const OpCall&);
template std::unique_ptr<Op<double>> make_prelu<double>(const Program&, const OpCall&);

}  // namespace netlet
