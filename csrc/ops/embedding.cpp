// embedding: y[B,...,D] = table[x[B,...],:], the rows of a table picked by number.
//
// A number is cut off to a whole one within the table; NaN is 0. A row's gradient is the sum of dy over the places that
// picked it, in their order: threads take rows of the table, never places, so that they can't change a bit.
#include <cstring>

#include "ops/op.h"

namespace netlet {
namespace {

template <class T>
class Embedding final : public Op<T> {
 public:
  Embedding(const Program& program, const OpCall& call)
      : places_(program.values[static_cast<size_t>(call.inputs[0])].size) {
    const Param& table = program.params[static_cast<size_t>(call.params[0])];
    table_ = table.offset;
    rows_ = table.shape[0];
    width_ = table.shape[1];
  }

  void forward(const Run<T>& run, int64_t batch, const T* const* x, T* y, const T*) const override {
    const T* const table = run.params + table_;
    split_range(batch * places_, 1, worth(batch), run.threads, [&](int64_t p, int64_t n) {
      for (int64_t i = p; i < p + n; ++i)
        std::memcpy(y + i * width_, table + row(x[0][i]) * width_, static_cast<size_t>(width_) * sizeof(T));
    });
  }

  void backward(const Run<T>& run, int64_t batch, const T* const* x, const T*, T* dy, T* const* dx,
                const T*) const override {
    const int64_t places = batch * places_;
    if (dx[0]) std::memset(dx[0], 0, static_cast<size_t>(places) * sizeof(T));
    if (!run.dparams) return;
    T* const to = run.dparams + table_;
    split_range(rows_, 1, worth(batch), run.threads, [&](int64_t first, int64_t n) {
      auto each = [&](auto&& f) {
        for (int64_t i = 0; i < places; ++i)
          if (const int64_t r = row(x[0][i]); r >= first && r < first + n) f(to + r * width_, r, i);
      };
      auto clear = [&](T* sum, int64_t, int64_t) { std::memset(sum, 0, static_cast<size_t>(width_) * sizeof(T)); };
      if (run.descend)  // rows that nothing picked stay as they are
        each(clear);
      else if (!run.accumulate)
        std::memset(to + first * width_, 0, static_cast<size_t>(n * width_) * sizeof(T));
      each([&](T* sum, int64_t, int64_t i) { run.kernels.add(width_, dy + i * width_, sum); });
      if (run.descend)
        each([&](T* sum, int64_t r, int64_t i) {  // the first of a row's places takes its step, the others none
          run.kernels.sgd(width_, run.rate, sum, run.descend + table_ + r * width_);
          clear(sum, r, i);
        });
    });
  }

  bool descends() const override { return true; }

 private:
  int64_t row(T number) const {
    if (!(number > T(0))) return 0;
    return number >= static_cast<T>(rows_ - 1) ? rows_ - 1 : static_cast<int64_t>(number);
  }
  int64_t worth(int64_t batch) const { return batch * places_ * width_ < (1 << 15) ? rows_ + batch * places_ + 1 : 0; }

  int64_t table_ = 0, rows_ = 1, width_ = 1;
  int64_t places_;  // numbers a row of the batch
};

}  // namespace

template <class T>
std::unique_ptr<Op<T>> make_embedding(const Program& program, const OpCall& call) {
  return std::make_unique<Embedding<T>>(program, call);
}
template std::unique_ptr<Op<float>> make_embedding<float>(const Program&, const OpCall&);
template std::unique_ptr<Op<double>> make_embedding<double>(const Program&, const OpCall&);

}  // namespace netlet
