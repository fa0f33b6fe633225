// The training step: gather, forward, loss, backward into each shard's gradient, and the tree that adds them.
#include "program/training.h"

#include <algorithm>
#include <cstring>

namespace netlet {
namespace {

size_t at(int i) { return static_cast<size_t>(i); }
size_t at(int64_t i) { return static_cast<size_t>(i); }

// to[n, bytes] <- from[order[first + i], bytes]
void gather_rows(const void* from, const int64_t* order, int64_t n, int64_t bytes, void* to) {
  const char* source = static_cast<const char*>(from);
  char* target = static_cast<char*>(to);
  switch (bytes) {  // the narrow ones are not worth a call each
    case 4:
      for (int64_t i = 0; i < n; ++i) std::memcpy(target + i * 4, source + order[i] * 4, 4);
      return;
    case 8:
      for (int64_t i = 0; i < n; ++i) std::memcpy(target + i * 8, source + order[i] * 8, 8);
      return;
    default:
      for (int64_t i = 0; i < n; ++i) std::memcpy(target + i * bytes, source + order[i] * bytes, at(bytes));
  }
}

constexpr int64_t kStretch = 2048;  // parameters that are updated at a time

}  // namespace

template <class T>
void Executor<T>::Training::reserve(const Network<T>& network, bool plain, int64_t rows, bool row_sharded,
                                    int threads) {
  const int64_t wanted = row_sharded ? ::netlet::shard_rows(network.plan(), rows) : std::max(rows, capacity);
  if (rows <= capacity && wanted == shard_rows) return;
  const Program& p = network.program();
  rows = std::max(rows, capacity);
  capacity = 0;  // until all of it is there
  shard_rows = wanted;
  plan = plan_backward(p, From::loss, false);
  descends = plain && !plan.zero_first;
  for (const auto& step : plan.steps)
    descends = descends && (p.ops[at(step.op)].params.empty() || network.op(step.op).descends());
  const int64_t count = (rows + shard_rows - 1) / shard_rows;
  stride = (p.param_size + 15) / 16 * 16;
  gradient = AlignedBuffer<T>(p.param_size);
  shard_gradients = AlignedBuffer<T>(checked_mul(count - 1, stride));
  shards.clear();
  for (int64_t s = 0; s < count; ++s)
    shards.push_back(network.workspace(std::min(shard_rows, rows), row_sharded ? 1 : threads, &plan));

  prepared_of.assign(p.ops.size(), nullptr);
  if (row_sharded) {
    auto place = [&](T* base) {
      int64_t used = 0;
      for (const auto& step : plan.steps) {
        const int64_t size = network.op(step.op).prepared_size();
        if (size == 0 || !std::any_of(step.wants.begin(), step.wants.end(), [](char w) { return w; })) continue;
        if (base) prepared_of[at(step.op)] = base + used;
        used += (size + 15) / 16 * 16;
      }
      return used;
    };
    prepared = AlignedBuffer<T>(place(nullptr));
    if (prepared.size()) place(prepared.data());
  }
  capacity = rows;
}

template <class T>
const int64_t* Executor<T>::Training::order(const Kernels<T>& kernels, Shuffle shuffle, int64_t rows) {
  const bool same = static_cast<int64_t>(permutation.size()) == rows && permuted.seed == shuffle.seed &&
                    permuted.epoch == shuffle.epoch;
  if (!same) {
    permutation.resize(at(rows));
    kernels.permutation(shuffle.seed, shuffle.epoch, rows, permutation.data());
    permuted = shuffle;
  }
  return permutation.data();
}

// Points ws at `count` rows from `first` on, in the order given; picked together where there is an order.
template <class T>
void Executor<T>::gather(Workspace<T>& ws, const Rows<T>& rows, const int64_t* order, int64_t first, int64_t count,
                         int threads, const void** target, const T** weight) const {
  const Program& p = network_.program();
  const int64_t target_bytes = network_.target_bytes();
  if (!order) {
    for (size_t i = 0; i < p.inputs.size(); ++i)
      ws.value[at(p.inputs[i])] = const_cast<T*>(rows.x[i]) + first * p.values[at(p.inputs[i])].size;
    *target = static_cast<const char*>(rows.target) + first * target_bytes;
    *weight = rows.weight ? rows.weight + first : nullptr;
    return;
  }
  const int64_t* picked = order + first;
  for (size_t i = 0; i < p.inputs.size(); ++i) {
    const int64_t size = p.values[at(p.inputs[i])].size;
    ws.value[at(p.inputs[i])] = ws.gathered[i];
    split_range(count, 1, count * size < (1 << 15) ? count + 1 : 0, threads, [&](int64_t r, int64_t n) {
      gather_rows(rows.x[i], picked + r, n, size * static_cast<int64_t>(sizeof(T)), ws.gathered[i] + r * size);
    });
  }
  gather_rows(rows.target, picked, count, target_bytes, ws.target);
  *target = ws.target;
  if (rows.weight) gather_rows(rows.weight, picked, count, sizeof(T), ws.weight);
  *weight = rows.weight ? ws.weight : nullptr;
}

// Parameters begin .. end - 1: the shards' gradients are added by a tree that depends on their number alone,
// ((0+1)+(2+3))+..., into the first's.
template <class T>
void Executor<T>::add_up(Training& t, int64_t shards, int64_t begin, int64_t end) const {
  for (int64_t reach = 1; reach < shards; reach *= 2)
    for (int64_t s = 0; s + reach < shards; s += 2 * reach)
      network_.kernels().add(end - begin, t.gradient_of(s + reach) + begin, t.gradient_of(s) + begin);
}

// The same, and the optimizer's step where it goes element by element: a stretch at a time, in the nearest cache.
template <class T>
void Executor<T>::update(Training& t, int64_t shards, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; i += kStretch) {
    const int64_t stop = std::min(i + kStretch, end);
    add_up(t, shards, i, stop);
    if (update_.by_stretch()) update_.stretch(t.gradient.data(), i, stop - i);
  }
}

template <class T>
void Executor<T>::step(Training& t, const Rows<T>& rows, const int64_t* order, int64_t first, int64_t count,
                       double rate, int64_t iteration, double* sums, int threads, Interrupt* interrupt) {
  const Program& p = network_.program();
  const T scale = T(1) / static_cast<T>(count);
  Laps* const laps = watch_ ? &watch_->caller : nullptr;
  start(laps);
  if (training_sharded_)
    for (size_t i = 0; i < t.prepared_of.size(); ++i)
      if (t.prepared_of[i]) network_.op(static_cast<int>(i)).prepare(network_.kernels(), params_, t.prepared_of[i]);
  lap(laps, Part::prepare);

  const int64_t shards = (count + t.shard_rows - 1) / t.shard_rows;
  const int inner = training_sharded_ ? 1 : threads;
  const int outer = team_at_once(3 * network_.plan().flops * static_cast<double>(count), threads);
  // With one shard, and nobody who could stop it half way, each op takes its params' step as it finds their gradient.
  Host* const host = network_.host().get();
  const bool penalizes = host && host->penalizes(), constrains = host && host->constrains();
  const bool updates = host && host->updates();
  const bool descend = t.descends && shards == 1 && !interrupt && !penalizes && !constrains;
  auto one_shard = [&](int64_t s, Interrupt* ask) {
    Workspace<T>& ws = *t.shards[at(s)];
    const int64_t begin = s * t.shard_rows, n = std::min(t.shard_rows, count - begin);
    const void* target;
    const T* weight;
    start(ws.laps);
    gather(ws, rows, order, first + begin, n, inner, &target, &weight);
    lap(ws.laps, Part::gather);
    Run<T> r = run(ws, t.gradient_of(s), inner);
    r.context = {true, static_cast<uint64_t>(iteration), begin};
    r.moving = state_;
    network_.forward(r, ws, n, true, ask);
    network_.loss(r, ws, n, target, weight, scale, true);
    if (!p.metrics.empty()) {
      std::fill(ws.sums.begin(), ws.sums.end(), 0.0);
      network_.metrics(ws, n, target, weight, ws.sums.data());
    }
    if (descend) r.descend = params_, r.rate = static_cast<T>(rate);
    network_.backward(t.plan, r, ws, n, t.prepared_of.data(), ask);
  };
  // Nobody but the optimizer, element by element, has to see the gradient: each thread goes on from its shards to a
  // part of the update, as soon as all shards are done.
  const bool staged =
      shards > 1 && outer > 1 && !interrupt && !penalizes && !updates && update_.by_stretch() && !constrains;
  if (shards == 1) {
    one_shard(0, interrupt);
  } else if (staged) {
    const int64_t parts = std::min({int64_t{outer}, shards, (p.param_size + kStretch - 1) / kStretch});
    update_.begin(rate, iteration);
    Milestone all(shards);
    parallel_for(shards + parts, outer, [&](int64_t i) noexcept {
      if (i < shards) return one_shard(i, nullptr), all.reached();
      all.await();
      i -= shards;
      Laps* const own = t.shards[at(i)]->laps;
      start(own);
      const int64_t begin = p.param_size * i / parts / 16 * 16;
      const int64_t end = i + 1 == parts ? p.param_size : p.param_size * (i + 1) / parts / 16 * 16;
      update(t, shards, begin, end);
      lap(own, Part::update);
    });
  } else {  // in rounds where the step is a long one, so that a stop is heard in time
    const double work = 3 * network_.plan().flops * static_cast<double>(t.shard_rows);
    const int64_t round =
        interrupt ? static_cast<int64_t>(kAskEvery / std::max(work, 1.0)) * threads + threads : shards;
    for (int64_t from = 0; from < shards; from += round) {
      const int64_t n = std::min(round, shards - from);
      parallel_for(n, outer, [&](int64_t s) noexcept { one_shard(from + s, nullptr); });
      if (interrupt) interrupt->after(work * static_cast<double>(n));
    }
  }
  if (watch_) watch_->team = std::min<int64_t>(outer, shards);
  start(laps);

  const int updaters = team_at_once(update_.flops() * static_cast<double>(p.param_size * shards), threads);
  const bool whole = penalizes || updates;  // the host sees the whole gradient at once
  if (whole) add_up(t, shards, 0, p.param_size);
  if (penalizes) sums[0] += static_cast<double>(count) * host->penalize(t.gradient.data());
  if (!descend && !staged) {
    if (updates) {
      host->update(t.gradient.data(), rate, iteration);
    } else {
      update_.begin(rate, iteration);
      split_range(p.param_size, kStretch, 0, updaters,
                  [&](int64_t i, int64_t n) { update(t, whole ? 1 : shards, i, i + n); });
      if (!update_.by_stretch()) update_.all(t.gradient.data());
    }
    if (constrains) host->constrain();
    lap(laps, Part::update);
  }
  for (int64_t s = 0; s < shards; ++s) {
    Workspace<T>& ws = *t.shards[at(s)];
    add_sums(ws, std::min(t.shard_rows, count - s * t.shard_rows), sums);
    for (size_t i = 2; i < ws.sums.size(); ++i) sums[i] += ws.sums[i];
  }
}

template void Executor<float>::step(Training&, const Rows<float>&, const int64_t*, int64_t, int64_t, double, int64_t,
                                    double*, int, Interrupt*);
template void Executor<double>::step(Training&, const Rows<double>&, const int64_t*, int64_t, int64_t, double, int64_t,
                                     double*, int, Interrupt*);
template struct Executor<float>::Training;
template struct Executor<double>::Training;

}  // namespace netlet
