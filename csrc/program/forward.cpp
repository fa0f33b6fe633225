// The forward pass over a caller's rows.
#include "program/forward.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>

#include "program/schedule.h"

namespace netlet {
namespace {

size_t at(int i) { return static_cast<size_t>(i); }
size_t at(int64_t i) { return static_cast<size_t>(i); }

}  // namespace

template <class T>
Forward<T>::Forward(const Network<T>& network, WorkspacePool<T>& pool, int threads, const T* const* packed)
    : network_(network),
      pool_(pool),
      packed_(packed),
      threads_(std::max(threads, 1)),
      row_sharded_(row_sharded(network.program(), sizeof(T))),
      dynamic_(dynamic_threads()),
      few_scratch_(network.forward_scratch(kFewRows)) {
  constexpr int64_t room = kFewBytes / static_cast<int64_t>(sizeof(T));
  const int64_t per_row = network.plan().live.per_row;
  few_fit_ = row_sharded_ && network.program().values.size() <= kFewValues && few_scratch_ <= room &&
             per_row <= (room - few_scratch_) / kFewRows;
}

template <class T>
Run<T> Forward<T>::run_with(const T* params, const T* state, int threads, T* scratch, int64_t stride) const {
  Run<T> run{network_.kernels(), params, nullptr, false, threads, scratch, stride};
  run.state = state;
  return run;
}

// One block: rows begin .. begin + count - 1, with memory for `count` rows at every value that is computed.
template <class T>
void Forward<T>::block(const Run<T>& run, T** value, int64_t begin, int64_t count, const T* const* x, T* const* out,
                       Interrupt* interrupt, Laps* laps) const {
  const Program& p = network_.program();
  const Plan& plan = network_.plan();
  for (size_t i = 0; i < p.inputs.size(); ++i)
    value[at(p.inputs[i])] = const_cast<T*>(x[i]) + begin * p.values[at(p.inputs[i])].size;
  T* own[64];  // of the outputs written directly, to be put back
  for (size_t i = 0; i < p.outputs.size(); ++i)
    if (plan.direct[i]) {
      T*& y = value[at(p.outputs[i])];
      own[i] = y;
      y = out[i] + begin * p.values[at(p.outputs[i])].size;
    }
  start(laps);
  network_.forward(run, value, count, false, interrupt, laps, packed_);
  for (size_t i = 0; i < p.outputs.size(); ++i) {
    const int64_t size = p.values[at(p.outputs[i])].size;
    if (plan.direct[i])
      value[at(p.outputs[i])] = own[i];
    else
      std::memcpy(out[i] + begin * size, value[at(p.outputs[i])], at(count * size) * sizeof(T));
  }
}

template <class T>
void Forward<T>::few(const T* params, const T* state, int64_t rows, const T* const* x, T* const* out) const {
  alignas(kAlignment) T memory[kFewBytes / sizeof(T)];
  T* value[kFewValues];
  const std::vector<int64_t>& offset = network_.plan().live.offset;
  for (size_t v = 0; v < offset.size(); ++v) value[v] = offset[v] < 0 ? nullptr : memory + kFewRows * offset[v];
  T* const scratch = memory + kFewRows * network_.plan().live.per_row;
  block(run_with(params, state, 1, scratch, few_scratch_), value, 0, rows, x, out, nullptr, nullptr);
}

template <class T>
void Forward<T>::run(const T* params, const T* state, int64_t rows, const T* const* x, T* const* out, int64_t batch,
                     Interrupt interrupt, Watch* watch) const {
  if (rows <= 0) return;
  if (few_fit_ && rows <= kFewRows && !watch) return few(params, state, rows, x, out);
  const double flops = network_.plan().flops * static_cast<double>(rows);
  const int most = row_sharded_ ? team(flops, threads_) : team_at_once(flops, threads_);
  if (most == 1 || !dynamic_) return run_on(most, params, state, rows, x, out, batch, interrupt, watch);
  // Calls of about one size are alike: each power of two has a choice of its own, from the least that is shared up.
  const int size = std::ilogb(flops) - 19;
  ThreadChoice& choice = choices_[at(std::clamp(size, 0, static_cast<int>(choices_.size()) - 1))];
  const double begin = ThreadChoice::clock();
  const bool together = choice.next(begin).together;
  run_on(together ? most : 1, params, state, rows, x, out, batch, interrupt, watch);
  const double end = ThreadChoice::clock();
  choice.took(together, flops, end - begin, end);
}

template <class T>
void Forward<T>::run_on(int outer, const T* params, const T* state, int64_t rows, const T* const* x, T* const* out,
                        int64_t batch, Interrupt interrupt, Watch* watch) const {
  const Plan& plan = network_.plan();
  const int64_t block_of = row_sharded_ ? block_rows(plan, rows, outer) : std::min(std::max<int64_t>(batch, 1), rows);
  const int64_t blocks = (rows + block_of - 1) / block_of;

  auto one_block = [&](Workspace<T>& ws, int64_t b, int threads, Interrupt* ask) {
    const int64_t begin = b * block_of;
    block(run_with(params, state, threads, ws.scratch, ws.scratch_stride), ws.value.data(), begin,
          std::min(block_of, rows - begin), x, out, ask, ws.laps);
  };

  using Lease = typename WorkspacePool<T>::Lease;
  auto observe = [&](Workspace<T>& ws, int64_t chain) { ws.laps = watch ? watch->chain(at(chain)) : nullptr; };
  if (!row_sharded_ || blocks <= 1 || outer == 1) {
    const int threads = row_sharded_ ? 1 : outer;
    Lease ws(pool_, std::min(block_of, rows), threads);
    observe(*ws, 0);
    const double work = plan.flops * static_cast<double>(block_of);
    if ((work > kLongStep || network_.program().hosted) && !row_sharded_) {
      for (int64_t b = 0; b < blocks; ++b) one_block(*ws, b, threads, &interrupt);
      return;
    }
    const int64_t round = static_cast<int64_t>(kAskEvery / std::max(work, 1e3)) + 1;
    for (int64_t from = 0; from < blocks; from += round) {
      const int64_t to = std::min(blocks, from + round);
      with_team(row_sharded_ ? 1 : outer, [&] {
        for (int64_t b = from; b < to; ++b) one_block(*ws, b, threads, nullptr);
      });
      interrupt.after(work * static_cast<double>(to - from));
    }
    return;
  }
  // Rows don't know each other, so each block goes to whoever is free. In rounds, so that a stop is heard in time.
  const int64_t tasks = std::min<int64_t>(outer, blocks);
  std::vector<Lease> leases;
  leases.reserve(at(tasks));
  for (int64_t t = 0; t < tasks; ++t) leases.emplace_back(pool_, block_of, 1);
  for (int64_t t = 0; t < tasks; ++t) observe(*leases[at(t)], t);
  if (watch) watch->team = tasks;
  const double work = std::max(plan.flops * static_cast<double>(block_of), 1.0);
  const int64_t round = std::max(tasks, static_cast<int64_t>(std::min(1e8 / work, 1e6)) * tasks);
  for (int64_t from = 0; from < blocks; from += round) {
    const int64_t to = std::min(blocks, from + round);
    std::atomic<int64_t> next{from};
    with_team(outer, [&] {
      parallel_for(tasks, outer, [&](int64_t t) noexcept {
        for (int64_t b; (b = next.fetch_add(1, std::memory_order_relaxed)) < to;)
          one_block(*leases[at(t)], b, 1, nullptr);
      });
    });
    interrupt.after(work * static_cast<double>(to - from));
  }
}

template class Forward<float>;
template class Forward<double>;

}  // namespace netlet
