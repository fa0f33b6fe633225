// A Program made ready to run on one ISA: its ops, its plan, and the walks over them.
#include "program/network.h"

#include <algorithm>
#include <cstring>

#include "core/shape.h"
#include "ops/metric.h"

namespace netlet {
namespace {

size_t at(int i) { return static_cast<size_t>(i); }

// Hands out parts of one buffer, each begun on a cache line. Asked twice: once to measure, once to place.
template <class T>
class Carver {
 public:
  explicit Carver(T* base) : base_(base) {}
  T* take(int64_t n) {
    T* part = base_ ? base_ + used_ : nullptr;
    constexpr int64_t line = 64 / static_cast<int64_t>(sizeof(T));
    used_ = checked_add(used_, checked_mul(checked_add(n, line - 1) / line, line));
    return part;
  }
  int64_t used() const { return used_; }

 private:
  T* base_;
  int64_t used_ = 0;
};

}  // namespace

template <class T>
Network<T>::Network(Program program, const Kernels<T>& kernels, std::shared_ptr<Host> host)
    : program_(std::move(program)), plan_(program_), kernels_(kernels), host_(std::move(host)) {
  for (size_t i = 0; i < program_.ops.size(); ++i)
    ops_.push_back(make_op<T>(program_, static_cast<int>(i), host_.get()));
}

template <class T>
int64_t Network<T>::target_bytes() const {
  if (!program_.has_loss) return 0;
  const LossCall& loss = program_.loss;
  if (loss.hosted) return loss.label_size * static_cast<int64_t>(loss.label_int ? sizeof(int32_t) : sizeof(T));
  return sparse_labels(loss.kind) ? loss.positions * static_cast<int64_t>(sizeof(int32_t))
                                  : loss.positions * loss.classes * static_cast<int64_t>(sizeof(T));
}

template <class T>
std::unique_ptr<Workspace<T>> Network<T>::workspace(int64_t capacity, int threads, const BackwardPlan* backward) const {
  auto ws = std::make_unique<Workspace<T>>();
  const Layout& layout = backward ? plan_.all : plan_.live;
  const size_t count = program_.values.size();
  int64_t widest_added = 0, target = 0;
  ws->capacity = capacity;
  ws->threads = threads;
  for (const auto& op : ops_) ws->scratch_stride = std::max(ws->scratch_stride, op->scratch(kernels_, capacity));
  ws->scratch_stride = (ws->scratch_stride + 15) / 16 * 16;
  if (backward)
    for (const auto& step : backward->steps) {
      int64_t added = 0;
      for (size_t i = 0; i < step.adds.size(); ++i)
        if (step.adds[i]) added += program_.values[at(program_.ops[at(step.op)].inputs[i])].size;
      widest_added = std::max(widest_added, added);
    }
  if (program_.has_loss) target = (checked_mul(capacity, target_bytes()) + 7) / static_cast<int64_t>(sizeof(T));

  auto carve = [&](T* base) {
    Carver<T> carver(base);
    ws->value.assign(count, nullptr);
    ws->gradient.assign(count, nullptr);
    ws->gathered.clear();
    // Offsets are in elements a row: with capacity rows in a multiple of a cache line, each value begins on one.
    const int64_t rows = checked_add(capacity, 15) / 16 * 16;
    T* values = carver.take(checked_mul(rows, layout.per_row));
    for (size_t v = 0; v < count; ++v)
      if (base && layout.offset[v] >= 0) ws->value[v] = values + rows * layout.offset[v];
    for (int v : program_.inputs) ws->gathered.push_back(carver.take(checked_mul(rows, program_.values[at(v)].size)));
    for (size_t v = 0; v < count; ++v)
      if (backward && backward->wanted[v]) ws->gradient[v] = carver.take(checked_mul(rows, program_.values[v].size));
    ws->sum = carver.take(checked_mul(rows, widest_added));
    if (program_.has_loss) {
      ws->weight = carver.take(rows);
      ws->target = carver.take(target);
      ws->row_loss = reinterpret_cast<double*>(carver.take(checked_mul(rows, 8 / static_cast<int64_t>(sizeof(T)))));
    }
    ws->scratch = carver.take(checked_mul(ws->scratch_stride, threads));
    return carver.used();
  };
  ws->memory = AlignedBuffer<T>(carve(nullptr));
  carve(ws->memory.data());
  ws->sums.assign(static_cast<size_t>(program_.sums_size), 0.0);
  return ws;
}

template <class T>
int64_t Network<T>::forward_scratch(int64_t rows) const {
  int64_t most = 0;
  for (const auto& op : ops_) most = std::max(most, op->forward_scratch(kernels_, rows));
  return most;
}

template <class T>
void Network<T>::forward(const Run<T>& run, T** value, int64_t rows, bool with_loss, Interrupt* interrupt, Laps* laps,
                         const T* const* packed) const {
  const T* x[kMostInputs];
  for (size_t i = 0; i < program_.ops.size(); ++i) {
    const OpCall& call = program_.ops[i];
    if (!with_loss && !plan_.serves[i]) continue;
    if (call.kind == OpKind::reshape) {
      value[at(call.output)] = value[at(plan_.root[at(call.output)])];
      continue;
    }
    if (with_loss && static_cast<int>(i) == plan_.deferred_op) continue;
    for (size_t j = 0; j < call.inputs.size(); ++j) x[j] = value[at(call.inputs[j])];
    ops_[i]->forward(run, rows, x, value[at(call.output)], packed ? packed[i] : nullptr);
    if (laps) laps->lap(laps->forward(i));
    if (interrupt) interrupt->after(plan_.flops * static_cast<double>(rows) / static_cast<double>(program_.ops.size()));
  }
}

template <class T>
void Network<T>::loss(const Run<T>& run, Workspace<T>& ws, int64_t rows, const void* target, const T* weight, T scale,
                      bool gradient) const {
  const LossCall& call = program_.loss;
  if (call.hosted) {
    host_->loss(rows, ws.value[at(call.input)], target, weight, gradient ? ws.gradient[at(call.input)] : nullptr,
                ws.row_loss);
    return lap(ws.laps, Part::loss);
  }
  LossArgs<T> whole{rows,
                    call.positions,
                    call.classes,
                    ws.value[at(call.input)],
                    target,
                    weight,
                    scale,
                    nullptr,
                    gradient ? ws.gradient[at(call.input)] : nullptr,
                    ws.row_loss};
  whole.delta = static_cast<T>(call.delta);
  if (plan_.deferred_op >= 0 && plan_.loss_writes_output) whole.probabilities = ws.value[at(call.output)];
  const int64_t row = call.positions * call.classes;
  split_range(rows, 1, rows * row < (1 << 14) ? rows + 1 : 0, run.threads, [&](int64_t r, int64_t n) {
    LossArgs<T> part = whole;
    part.rows = n;
    part.prediction += r * row;
    part.target = static_cast<const char*>(target) + r * target_bytes();
    if (part.weight) part.weight += r;
    if (part.probabilities) part.probabilities += r * row;
    if (part.gradient) part.gradient += r * row;
    part.row_loss += r;
    kernels_.loss[static_cast<int>(call.kind)](part);
  });
  lap(ws.laps, Part::loss);
}

template <class T>
void Network<T>::metrics(const Workspace<T>& ws, int64_t rows, const void* target, const T* weight,
                         double* sums) const {
  const bool sparse = program_.loss.hosted ? program_.loss.label_int : sparse_labels(program_.loss.kind);
  for (size_t i = 0; i < program_.metrics.size(); ++i) {
    const MetricCall& metric = program_.metrics[i];
    if (metric.kind == MetricKind::hosted)
      host_->metric(static_cast<int>(i), rows, ws.value[at(metric.input)], target, weight);
    else
      update_metric<T>(metric, rows, ws.value[at(metric.input)], target, sparse, sums + metric.offset);
  }
  lap(ws.laps, Part::metrics);
}

template <class T>
void Network<T>::backward(const BackwardPlan& plan, Run<T> run, Workspace<T>& ws, int64_t rows,
                          const T* const* prepared, Interrupt* interrupt) const {
  run.accumulate = plan.zero_first;
  if (plan.zero_first && run.dparams) std::memset(run.dparams, 0, static_cast<size_t>(program_.param_size) * sizeof(T));
  const T* x[kMostInputs];
  T* dx[kMostInputs];
  for (const BackwardPlan::Step& step : plan.steps) {
    const OpCall& call = program_.ops[at(step.op)];
    T* sum = ws.sum;  // a stretch for each gradient that is to be added
    for (size_t j = 0; j < call.inputs.size(); ++j) {
      x[j] = ws.value[at(call.inputs[j])];
      dx[j] = !step.wants[j] ? nullptr : step.adds[j] ? sum : ws.gradient[at(call.inputs[j])];
      if (step.adds[j]) sum += rows * program_.values[at(call.inputs[j])].size;
    }
    ops_[at(step.op)]->backward(run, rows, x, ws.value[at(call.output)], ws.gradient[at(call.output)], dx,
                                prepared ? prepared[step.op] : nullptr);
    for (size_t j = 0; j < call.inputs.size(); ++j)
      if (step.adds[j])
        kernels_.add(rows * program_.values[at(call.inputs[j])].size, dx[j], ws.gradient[at(call.inputs[j])]);
    if (ws.laps) ws.laps->lap(ws.laps->backward(at(step.op)));
    if (interrupt)
      interrupt->after(2 * plan_.flops * static_cast<double>(rows) / static_cast<double>(plan.steps.size()));
  }
}

template class Network<float>;
template class Network<double>;

}  // namespace netlet
