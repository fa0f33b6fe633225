// rescale: y = x * scale + offset; standardize: y = (x - mean) * factor, by the state. Both element by element.
#include <algorithm>
#include <vector>

#include "ops/op.h"

namespace netlet {
namespace {

constexpr int64_t kWorth = 1 << 14;  // elements below which one thread does it sooner

template <class T, class F>
void split_rows(const Run<T>& run, int64_t rows, int64_t width, F&& f) {
  split_range(rows, 1, rows * width < kWorth ? rows + 1 : 0, run.threads, f);
}

template <class T>
class Rescale final : public Op<T> {
 public:
  Rescale(const Program& program, const OpCall& call) : size_(program.values[static_cast<size_t>(call.output)].size) {
    for (int64_t i = 0; i < size_; ++i) {  // a list runs along the last axis, so it is as long as that
      scale_.push_back(static_cast<T>(call.scales[static_cast<size_t>(i) % call.scales.size()]));
      offset_.push_back(static_cast<T>(call.offsets[static_cast<size_t>(i) % call.offsets.size()]));
    }
  }

  void forward(const Run<T>& run, int64_t batch, const T* const* x, T* y, const T*) const override {
    split_rows(run, batch, size_, [&](int64_t r, int64_t n) {
      run.kernels.affine(n, size_, scale_.data(), offset_.data(), x[0] + r * size_, y + r * size_);
    });
  }

  void backward(const Run<T>& run, int64_t batch, const T* const*, const T*, T* dy, T* const* dx,
                const T*) const override {
    if (!dx[0]) return;
    split_rows(run, batch, size_, [&](int64_t r, int64_t n) {
      run.kernels.affine(n, size_, scale_.data(), nullptr, dy + r * size_, dx[0] + r * size_);
    });
  }

 private:
  int64_t size_;
  std::vector<T> scale_, offset_;  // of each element of a row
};

template <class T>
class Standardize final : public Op<T> {
 public:
  Standardize(const Program& program, const OpCall& call)
      : size_(program.values[static_cast<size_t>(call.output)].size),
        mean_(program.state[static_cast<size_t>(call.state[0])]),
        factor_(program.state[static_cast<size_t>(call.state[1])].offset) {}

  void forward(const Run<T>& run, int64_t batch, const T* const* x, T* y, const T*) const override {
    const T *mean = run.state + mean_.offset, *factor = spread(run);
    if (mean_.size == 1) mean = std::fill_n(run.scratch + size_, size_, *mean) - size_;
    each(run, batch, [&](int64_t at, int64_t n, int64_t width) {
      run.kernels.column_norm_forward(n, width, x[0] + at, mean, factor, nullptr, y + at);
    });
  }

  void backward(const Run<T>& run, int64_t batch, const T* const*, const T*, T* dy, T* const* dx,
                const T*) const override {
    if (!dx[0]) return;
    const T* const factor = spread(run);
    each(run, batch, [&](int64_t at, int64_t n, int64_t width) {
      run.kernels.affine(n, width, factor, nullptr, dy + at, dx[0] + at);
    });
  }

  int64_t scratch(const Kernels<T>&, int64_t) const override { return mean_.size == 1 ? 2 * size_ : 0; }

 private:
  // The factor of each element: one number for all is repeated for as many as a row has.
  const T* spread(const Run<T>& run) const {
    const T* const factor = run.state + factor_;
    return mean_.size == 1 ? std::fill_n(run.scratch, size_, *factor) - size_ : factor;
  }

  // f(first element, rows, width of a row)
  template <class F>
  void each(const Run<T>& run, int64_t batch, F&& f) const {
    const int64_t width = mean_.size == 1 ? size_ : mean_.size;
    split_rows(run, batch * (size_ / width), width, [&](int64_t r, int64_t n) { f(r * width, n, width); });
  }

  int64_t size_;
  Param mean_;
  int64_t factor_;
};

}  // namespace

template <class T>
std::unique_ptr<Op<T>> make_rescale(const Program& program, const OpCall& call) {
  return std::make_unique<Rescale<T>>(program, call);
}
template std::unique_ptr<Op<float>> make_rescale<float>(const Program&, const OpCall&);
template std::unique_ptr<Op<double>> make_rescale<double>(const Program&, const OpCall&);

template <class T>
std::unique_ptr<Op<T>> make_standardize(const Program& program, const OpCall& call) {
  return std::make_unique<Standardize<T>>(program, call);
}
template std::unique_ptr<Op<float>> make_standardize<float>(const Program&, const OpCall&);
template std::unique_ptr<Op<double>> make_standardize<double>(const Program&, const OpCall&);

}  // namespace netlet
