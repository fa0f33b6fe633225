// batch_normalization and layer_normalization; formulas are in kernels/normalization.inl.
//
// Moments are found anew in backward: they are little work beside what they save in memory.
#include <cstring>

#include "ops/op.h"

namespace netlet {
namespace {

constexpr int64_t kWorth = 1 << 14;  // elements below which one thread does it sooner

// Where gamma and beta lie in the arena; -1 where there is none.
struct Affine {
  int64_t gamma = -1, beta = -1;
  Affine(const Program& program, const OpCall& call) {
    auto offset = [&](int i) { return program.params[static_cast<size_t>(i)].offset; };
    if (call.norm.scale) gamma = offset(call.params.front());
    if (call.norm.center) beta = offset(call.params.back());
  }
};

template <class T>
T* at(T* arena, int64_t offset) {
  return arena && offset >= 0 ? arena + offset : nullptr;
}

// Each row of width N by its own moments.
template <class T>
class LayerNormalization final : public Op<T> {
 public:
  LayerNormalization(const Program& program, const OpCall& call)
      : affine_(program, call), norm_(call.norm), epsilon_(static_cast<T>(call.norm.epsilon)) {
    outer_ = program.values[static_cast<size_t>(call.output)].size / norm_.width;
  }

  void forward(const Run<T>& run, int64_t batch, const T* const* x, T* y, const T*) const override {
    const int64_t n = norm_.width;
    const T *gamma = at(run.params, affine_.gamma), *beta = at(run.params, affine_.beta);
    split_rows(run, batch, [&](int64_t r, int64_t rows) {
      run.kernels.row_norm_forward(rows, n, epsilon_, norm_.rms, x[0] + r * n, gamma, beta, y + r * n);
    });
  }

  void backward(const Run<T>& run, int64_t batch, const T* const* x, const T*, T* dy, T* const* dx,
                const T*) const override {
    const int64_t n = norm_.width, all = batch * outer_;
    const T* const gamma = at(run.params, affine_.gamma);
    T* const moments = run.scratch;
    split_rows(run, batch, [&](int64_t r, int64_t rows) {
      run.kernels.row_moments(rows, n, epsilon_, norm_.rms, x[0] + r * n, moments + 2 * r);
      if (dx[0])
        run.kernels.row_norm_backward(rows, n, norm_.rms, moments + 2 * r, x[0] + r * n, gamma, dy + r * n,
                                      dx[0] + r * n);
    });
    T *const dgamma = at(run.dparams, affine_.gamma), *const dbeta = at(run.dparams, affine_.beta);
    if (dgamma || dbeta)
      split_range(n, 16, all * n < kWorth ? n + 1 : 0, run.threads, [&](int64_t c, int64_t part) {
        run.kernels.row_norm_sums(all, part, n, moments, x[0] + c, dy + c, dgamma ? dgamma + c : nullptr,
                                  dbeta ? dbeta + c : nullptr, run.accumulate);
      });
  }

  int64_t scratch(const Kernels<T>&, int64_t batch) const override { return 2 * batch * outer_; }
  int64_t forward_scratch(const Kernels<T>&, int64_t) const override { return 0; }

 private:
  template <class F>
  void split_rows(const Run<T>& run, int64_t batch, F&& f) const {
    const int64_t rows = batch * outer_;
    split_range(rows, 1, rows * norm_.width < kWorth ? rows + 1 : 0, run.threads, f);
  }

  Affine affine_;
  Norm norm_;
  T epsilon_;
  int64_t outer_ = 1;
};

// Each of C channels by the moments of the batch in training, which then move the state, and by the state otherwise.
template <class T>
class BatchNormalization final : public Op<T> {
 public:
  BatchNormalization(const Program& program, const OpCall& call)
      : affine_(program, call), norm_(call.norm), epsilon_(static_cast<T>(call.norm.epsilon)) {
    outer_ = program.values[static_cast<size_t>(call.output)].size / norm_.width;
    mean_ = program.state[static_cast<size_t>(call.state[0])].offset;
    variance_ = program.state[static_cast<size_t>(call.state[1])].offset;
  }

  void forward(const Run<T>& run, int64_t batch, const T* const* x, T* y, const T*) const override {
    const int64_t n = norm_.width, rows = batch * outer_;
    if (rows == 0) return;
    const T *mean = run.state + mean_, *variance = run.state + variance_;
    T* const scale = run.scratch;
    if (moves(run)) {
      T *const now = run.scratch + n, *const spread = run.scratch + 2 * n;
      find_moments(run, rows, x[0], now, spread);
      const T keep = static_cast<T>(norm_.momentum), fresh = static_cast<T>(1 - norm_.momentum);
      if (run.moving) {
        run.kernels.combine(n, fresh, now, keep, run.moving + mean_);
        run.kernels.combine(n, fresh, spread, keep, run.moving + variance_);
      }
      mean = now;
      variance = spread;
    }
    run.kernels.column_scales(n, epsilon_, variance, at(run.params, affine_.gamma), scale);
    split_rows(run, rows, [&](int64_t r, int64_t part) {
      run.kernels.column_norm_forward(part, n, x[0] + r * n, mean, scale, at(run.params, affine_.beta), y + r * n);
    });
  }

  void backward(const Run<T>& run, int64_t batch, const T* const* x, const T*, T* dy, T* const* dx,
                const T*) const override {
    const int64_t n = norm_.width, rows = batch * outer_;
    const T *mean = run.state + mean_, *variance = run.state + variance_;
    T *const scale = run.scratch, *const dgamma = run.scratch + 3 * n, *const dbeta = run.scratch + 4 * n;
    if (moves(run) && rows > 0) {
      find_moments(run, rows, x[0], run.scratch + n, run.scratch + 2 * n);
      mean = run.scratch + n;
      variance = run.scratch + 2 * n;
    }
    run.kernels.column_scales(n, epsilon_, variance, nullptr, scale);
    split_columns(run, rows, [&](int64_t c, int64_t part) {
      run.kernels.column_norm_sums(rows, part, n, x[0] + c, mean + c, scale + c, dy + c, dgamma + c, dbeta + c);
    });
    give(run, dgamma, at(run.dparams, affine_.gamma));
    give(run, dbeta, at(run.dparams, affine_.beta));
    if (!dx[0]) return;
    const T* const gamma = at(run.params, affine_.gamma);
    if (!moves(run)) {  // the moments stand still: dx = dy scale gamma
      std::memset(dgamma, 0, static_cast<size_t>(2 * n) * sizeof(T));
    }
    split_rows(run, rows, [&](int64_t r, int64_t part) {
      run.kernels.column_norm_backward(part, n, static_cast<T>(rows), x[0] + r * n, mean, scale, gamma, dgamma, dbeta,
                                       dy + r * n, dx[0] + r * n);
    });
  }

  int64_t scratch(const Kernels<T>&, int64_t) const override { return 5 * norm_.width; }
  int64_t forward_scratch(const Kernels<T>&, int64_t) const override { return norm_.width; }

 private:
  bool moves(const Run<T>& run) const { return run.context.training && !norm_.frozen; }

  void find_moments(const Run<T>& run, int64_t rows, const T* x, T* mean, T* variance) const {
    split_columns(run, rows, [&](int64_t c, int64_t part) {
      run.kernels.column_moments(rows, part, norm_.width, x + c, mean + c, variance + c);
    });
  }

  // to[C] <- (or += where the run accumulates) from, where it is wanted.
  void give(const Run<T>& run, const T* from, T* to) const {
    if (to && run.accumulate) run.kernels.add(norm_.width, from, to);
    if (to && !run.accumulate) std::memcpy(to, from, static_cast<size_t>(norm_.width) * sizeof(T));
  }

  template <class F>
  void split_rows(const Run<T>& run, int64_t rows, F&& f) const {
    split_range(rows, 1, rows * norm_.width < kWorth ? rows + 1 : 0, run.threads, f);
  }
  template <class F>
  void split_columns(const Run<T>& run, int64_t rows, F&& f) const {
    split_range(norm_.width, 16, rows * norm_.width < kWorth ? norm_.width + 1 : 0, run.threads, f);
  }

  Affine affine_;
  Norm norm_;
  T epsilon_;
  int64_t outer_ = 1, mean_ = 0, variance_ = 0;
};

}  // namespace

template <class T>
std::unique_ptr<Op<T>> make_batch_normalization(const Program& program, const OpCall& call) {
  return std::make_unique<BatchNormalization<T>>(program, call);
}
template std::unique_ptr<Op<float>> make_batch_normalization<float>(const Program&, const OpCall&);
template std::unique_ptr<Op<double>> make_batch_normalization<double>(const Program&, const OpCall&);

template <class T>
std::unique_ptr<Op<T>> make_layer_normalization(const Program& program, const OpCall& call) {
  return std::make_unique<LayerNormalization<T>>(program, call);
}
template std::unique_ptr<Op<float>> make_layer_normalization<float>(const Program&, const OpCall&);
template std::unique_ptr<Op<double>> make_layer_normalization<double>(const Program&, const OpCall&);

}  // namespace netlet
