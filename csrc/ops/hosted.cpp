// An op that the host runs.
#include "ops/op.h"
#include "program/host.h"

namespace netlet {
namespace {

template <class T>
class Hosted final : public Op<T> {
 public:
  Hosted(Host& host, int place, const OpCall& call)
      : host_(host), place_(place), inputs_(call.inputs.size()), has_params_(!call.params.empty()) {}

  void forward(const Run<T>& run, int64_t rows, const T* const* x, T* y, const T*) const override {
    const void* from[kMostInputs];
    for (size_t i = 0; i < inputs_; ++i) from[i] = x[i];
    host_.forward(place_, run.context, rows, from, y);
  }

  void backward(const Run<T>& run, int64_t rows, const T* const* x, const T* y, T* dy, T* const* dx,
                const T*) const override {
    const void* from[kMostInputs];
    void* to[kMostInputs];
    for (size_t i = 0; i < inputs_; ++i) from[i] = x[i], to[i] = dx[i];
    host_.backward(place_, run.context, rows, from, y, dy, to, has_params_ ? run.dparams : nullptr, run.accumulate);
  }

 private:
  Host& host_;
  int place_;
  size_t inputs_;
  bool has_params_;
};

}  // namespace

template <class T>
std::unique_ptr<Op<T>> make_hosted(Host& host, int place, const OpCall& call) {
  return std::make_unique<Hosted<T>>(host, place, call);
}
template std::unique_ptr<Op<float>> make_hosted<float>(Host&, int, const OpCall&);
template std::unique_ptr<Op<double>> make_hosted<double>(Host&, int, const OpCall&);

}  // namespace netlet
