// dropout: in training y = x * factor, else y = x; see kernels/dropout.inl. Backward draws the same factors again.
#include <cmath>
#include <cstring>

#include "ops/op.h"

namespace netlet {
namespace {

template <class T>
class Dropout final : public Op<T> {
 public:
  Dropout(const Program& program, const OpCall& call)
      : size_(program.values[static_cast<size_t>(call.output)].size), rate_(call.rate), seed_(call.seed) {}

  void forward(const Run<T>& run, int64_t rows, const T* const* x, T* y, const T*) const override {
    apply(run, rows, x[0], y);
  }

  void backward(const Run<T>& run, int64_t rows, const T* const*, const T*, T* dy, T* const* dx,
                const T*) const override {
    if (dx[0]) apply(run, rows, dy, dx[0]);
  }

 private:
  void apply(const Run<T>& run, int64_t rows, const T* x, T* y) const {
    const int64_t all = rows * size_;
    if (!run.context.training || rate_ == 0) {
      std::memcpy(y, x, static_cast<size_t>(all) * sizeof(T));
      return;
    }
    // An element stays where its word is at least rate 2^32, which may be more than any word.
    const double threshold = std::ceil(rate_ * 4294967296.0);
    DropoutArgs<T> args{seed_, run.context.iteration, static_cast<uint64_t>(run.context.row * size_), 0, T(0)};
    if (threshold < 4294967296.0) {
      args.threshold = static_cast<uint32_t>(threshold);
      args.scale = static_cast<T>(1.0 / (1.0 - rate_));
    }
    split_range(all, 256, 1 << 13, run.threads, [&](int64_t i, int64_t n) {
      DropoutArgs<T> part = args;
      part.first += static_cast<uint64_t>(i);
      run.kernels.dropout(n, part, x + i, y + i);
    });
  }

  int64_t size_;
  double rate_;
  uint64_t seed_;
};

}  // namespace

template <class T>
std::unique_ptr<Op<T>> make_dropout(const Program& program, const OpCall& call) {
  return std::make_unique<Dropout<T>>(program, call);
}
template std::unique_ptr<Op<float>> make_dropout<float>(const Program&, const OpCall&);
template std::unique_ptr<Op<double>> make_dropout<double>(const Program&, const OpCall&);

}  // namespace netlet
