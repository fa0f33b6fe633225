// What can be known about a Program before any row is seen: who shares memory, what needs a gradient, where values lie.
#include "program/plan.h"

#include <algorithm>

namespace netlet {
namespace {

size_t at(int i) { return static_cast<size_t>(i); }

Layout keep_all(const Program& program, const std::vector<int>& root, const std::vector<char>& is_input) {
  Layout layout;
  layout.offset.assign(program.values.size(), -1);
  for (size_t v = 0; v < program.values.size(); ++v)
    if (at(root[v]) == v && !is_input[v]) {
      layout.offset[v] = layout.per_row;
      layout.per_row += program.values[v].size;
    }
  return layout;
}

// First fit over the time each value is alive, in the order of the ops.
Layout reuse_dead(const Program& program, const std::vector<int>& root, const std::vector<char>& is_input) {
  const size_t count = program.values.size();
  const int end = static_cast<int>(program.ops.size());
  std::vector<int> born(count, -1), last(count, -1);
  for (int i = 0; i < end; ++i) {
    const OpCall& op = program.ops[at(i)];
    for (int v : op.inputs) last[at(root[at(v)])] = i;
    const int y = root[at(op.output)];
    if (born[at(y)] < 0) born[at(y)] = i;
    last[at(y)] = std::max(last[at(y)], i);
  }
  auto keep = [&](int v) { last[at(root[at(v)])] = end; };
  for (int v : program.outputs) keep(v);
  for (const MetricCall& metric : program.metrics) keep(metric.input);
  if (program.has_loss) keep(program.loss.input);

  Layout layout;
  layout.offset.assign(count, -1);
  std::vector<size_t> placed;
  for (size_t v = 0; v < count; ++v) {
    if (at(root[v]) != v || is_input[v]) continue;
    int64_t offset = 0;
    for (bool moved = true; moved;) {
      moved = false;
      for (size_t other : placed) {
        const bool together = born[v] <= last[other] && born[other] <= last[v];
        const int64_t from = layout.offset[other], to = from + program.values[other].size;
        if (together && offset < to && from < offset + program.values[v].size) offset = to, moved = true;
      }
    }
    layout.offset[v] = offset;
    layout.per_row = std::max(layout.per_row, offset + program.values[v].size);
    placed.push_back(v);
  }
  return layout;
}

}  // namespace

Plan::Plan(const Program& program) {
  const size_t count = program.values.size();
  root.resize(count);
  is_input.assign(count, 0);
  for (size_t v = 0; v < count; ++v) {
    root[v] = static_cast<int>(v);
    widest = std::max(widest, program.values[v].size);
  }
  for (int v : program.inputs) is_input[at(v)] = 1;
  flops = 0;
  for (const OpCall& op : program.ops) {
    if (op.kind == OpKind::reshape) root[at(op.output)] = root[at(op.inputs[0])];
    const double y = static_cast<double>(program.values[at(op.output)].size);
    flops += op.kind == OpKind::dense ? 2 * y * static_cast<double>(program.params[at(op.params[0])].shape[0]) : 10 * y;
  }
  std::vector<char> used(count, 0);
  for (int v : program.outputs) used[at(v)] = 1;
  serves.assign(program.ops.size(), 0);
  for (size_t i = program.ops.size(); i-- > 0;)
    if (used[at(program.ops[i].output)]) {
      serves[i] = 1;
      for (int v : program.ops[i].inputs) used[at(v)] = 1;
    }
  for (auto v = program.outputs.begin(); v != program.outputs.end(); ++v)  // a second output of a value is copied
    direct.push_back(std::find(program.outputs.begin(), v, *v) == v && root[at(*v)] == *v && !is_input[at(*v)]);
  if (program.has_loss && program.loss.output >= 0) {
    bool read = false;
    int producer = -1;
    for (size_t i = 0; i < program.ops.size(); ++i) {
      for (int v : program.ops[i].inputs) read = read || v == program.loss.output;
      if (program.ops[i].output == program.loss.output) producer = static_cast<int>(i);
    }
    if (!read) {
      deferred_op = producer;
      for (const MetricCall& m : program.metrics)
        loss_writes_output = loss_writes_output || m.input == program.loss.output;
    }
  }
  all = keep_all(program, root, is_input);
  live = reuse_dead(program, root, is_input);
}

BackwardPlan plan_backward(const Program& program, From from, bool inputs_too) {
  const size_t count = program.values.size();
  // A value wants its gradient if it comes from params (or inputs) and leads to where the walk begins.
  std::vector<char> source(count, 0), leads(count, 0);
  if (inputs_too)
    for (int v : program.inputs) source[at(v)] = 1;
  for (const OpCall& op : program.ops) {
    bool any = !op.params.empty();
    for (int v : op.inputs) any = any || source[at(v)];
    source[at(op.output)] = any;
  }
  if (from == From::loss)
    leads[at(program.loss.input)] = 1;
  else
    for (int v : program.outputs) leads[at(v)] = 1;

  BackwardPlan plan;
  plan.wanted.assign(count, 0);
  std::vector<char> written = leads;  // the loss, or the caller's cotangents, come first
  std::vector<int> writes(program.params.size(), 0);
  for (size_t i = program.ops.size(); i-- > 0;) {
    const OpCall& op = program.ops[i];
    if (!leads[at(op.output)] || !source[at(op.output)]) continue;
    BackwardPlan::Step step{static_cast<int>(i), {}, {}};
    for (int v : op.inputs) {
      leads[at(v)] = 1;
      step.wants.push_back(source[at(v)]);
      step.adds.push_back(source[at(v)] && written[at(v)]);
      if (source[at(v)]) written[at(v)] = 1;
    }
    for (int p : op.params) ++writes[at(p)];
    plan.steps.push_back(step);
  }
  for (size_t v = 0; v < count; ++v) plan.wanted[v] = leads[v] && source[v];
  plan.zero_first = std::any_of(writes.begin(), writes.end(), [](int n) { return n != 1; });
  return plan;
}

}  // namespace netlet
