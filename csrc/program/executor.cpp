// The executor: predict, evaluate and gradients. The training step is in training.cpp.
#include "program/executor.h"

#include <algorithm>
#include <cstring>

#include "program/schedule.h"
#include "program/training.h"

namespace netlet {
namespace {

size_t at(int i) { return static_cast<size_t>(i); }
size_t at(int64_t i) { return static_cast<size_t>(i); }

}  // namespace

// A forward workspace of at least `capacity` rows, from the idle ones or new; given back at the end.
template <class T>
class Executor<T>::Lease {
 public:
  Lease(Executor& owner, int64_t capacity, int threads) : owner_(owner) {
    for (auto& slot : owner_.idle_) {
      Workspace<T>* found = slot.exchange(nullptr, std::memory_order_acquire);
      if (!found) continue;
      std::unique_ptr<Workspace<T>> kept(found);
      if (kept->capacity >= capacity && kept->threads >= threads) {
        ws_ = std::move(kept);
        return;
      }
    }
    ws_ = owner_.network_.workspace(capacity, threads, nullptr);
  }
  Lease(Lease&&) = default;
  Lease(const Lease&) = delete;
  ~Lease() {
    if (!ws_) return;
    for (auto& slot : owner_.idle_) {
      Workspace<T>* expected = nullptr;
      if (slot.compare_exchange_strong(expected, ws_.get(), std::memory_order_release)) {
        ws_.release();
        return;
      }
    }
  }
  Workspace<T>& operator*() const { return *ws_; }

 private:
  Executor& owner_;
  std::unique_ptr<Workspace<T>> ws_;
};

template <class T>
Executor<T>::Executor(Program program, Isa isa, T* params, T* slots, int threads)
    : network_(std::move(program), ::netlet::kernels<T>(isa)),
      params_(params),
      slots_(slots),
      threads_(std::max(threads, 1)),
      row_sharded_(row_sharded(network_.program(), sizeof(T))),
      lock_(std::make_unique<Lock>()),
      fork_generation_(fork_generation()) {}

template <class T>
Executor<T>::~Executor() {
  for (auto& slot : idle_) delete slot.exchange(nullptr);
}

// In a forked child the lock may have been copied while held by a thread that isn't here: begin with a new one.
template <class T>
void Executor<T>::check_entry() {
  if (fork_generation_ != fork_generation()) {
    fork_generation_ = fork_generation();
    lock_.release();  // not destroyed: it may be locked
    lock_ = std::make_unique<Lock>();
    trainer_ = std::thread::id();
  }
  if (trainer_.load(std::memory_order_relaxed) == std::this_thread::get_id())
    fail(Kind::runtime, "executor: called from within its own training (by a signal handler?)");
}

template <class T>
std::shared_lock<std::shared_mutex> Executor<T>::share() {
  check_entry();
  const std::lock_guard gate(lock_->gate);
  return std::shared_lock(lock_->room);
}

template <class T>
std::unique_lock<std::shared_mutex> Executor<T>::alone() {
  check_entry();
  const std::lock_guard gate(lock_->gate);
  return std::unique_lock(lock_->room);
}

template <class T>
Run<T> Executor<T>::run(Workspace<T>& ws, T* dparams, int threads) const {
  return {network_.kernels(), params_, dparams, false, threads, ws.scratch, ws.scratch_stride};
}

template <class T>
void Executor<T>::predict(const Rows<T>& rows, T* const* out, int64_t batch, Interrupt interrupt) {
  const auto lock = share();
  const Program& p = network_.program();
  const Plan& plan = network_.plan();
  const int64_t block = row_sharded_ ? block_rows(plan) : std::min(std::max<int64_t>(batch, 1), rows.count);
  const int64_t blocks = rows.count ? (rows.count + block - 1) / block : 0;

  // The first output computed into a value of its own goes straight to the caller; others are copied there.
  std::vector<char> direct(p.outputs.size(), 0);
  for (size_t i = 0; i < p.outputs.size(); ++i) {
    const int v = p.outputs[i];
    const bool first = std::find(p.outputs.begin(), p.outputs.begin() + static_cast<int64_t>(i), v) ==
                       p.outputs.begin() + static_cast<int64_t>(i);
    direct[i] = first && plan.root[at(v)] == v && !plan.is_input[at(v)];
  }
  auto one_block = [&](Workspace<T>& ws, int64_t b, int threads, Interrupt* ask) {
    const int64_t begin = b * block, count = std::min(block, rows.count - begin);
    for (size_t i = 0; i < p.inputs.size(); ++i)
      ws.value[at(p.inputs[i])] = const_cast<T*>(rows.x[i]) + begin * p.values[at(p.inputs[i])].size;
    start(ws.laps);
    std::array<T*, 64> own;  // of the outputs written directly, to be put back
    for (size_t i = 0; i < p.outputs.size(); ++i)
      if (direct[i]) {
        own[i] = ws.value[at(p.outputs[i])];
        ws.value[at(p.outputs[i])] = out[i] + begin * p.values[at(p.outputs[i])].size;
      }
    network_.forward(run(ws, nullptr, threads), ws, count, false, ask);
    for (size_t i = 0; i < p.outputs.size(); ++i) {
      const int64_t size = p.values[at(p.outputs[i])].size;
      if (direct[i])
        ws.value[at(p.outputs[i])] = own[i];
      else
        std::memcpy(out[i] + begin * size, ws.value[at(p.outputs[i])], at(count * size) * sizeof(T));
    }
  };

  const int outer = team(plan.flops * static_cast<double>(rows.count), threads_);
  if (!row_sharded_ || blocks <= 1 || outer == 1) {
    const int threads = row_sharded_ ? 1 : threads_;
    Lease ws(*this, std::min(block, rows.count), threads);
    observe(*ws, 0);
    for (int64_t b = 0; b < blocks; ++b) {
      one_block(*ws, b, threads, row_sharded_ ? nullptr : &interrupt);
      if (row_sharded_) interrupt.after(plan.flops * static_cast<double>(block));
    }
    return;
  }
  // Rows don't know each other, so threads may take any blocks. In rounds, so that a stop is heard in time.
  const int64_t tasks = std::min<int64_t>(outer, blocks);
  std::vector<Lease> leases;
  leases.reserve(at(tasks));
  for (int64_t t = 0; t < tasks; ++t) leases.emplace_back(*this, block, 1);
  for (int64_t t = 0; t < tasks; ++t) observe(*leases[at(t)], t);
  if (watch_) watch_->team = tasks;
  const double work = std::max(plan.flops * static_cast<double>(block), 1.0);
  const int64_t round = std::max(tasks, static_cast<int64_t>(std::min(1e8 / work, 1e6)) * tasks);
  for (int64_t from = 0; from < blocks; from += round) {
    const int64_t to = std::min(blocks, from + round);
    parallel_for(tasks, outer, [&](int64_t t) noexcept {
      for (int64_t b = from + t; b < to; b += tasks) one_block(*leases[at(t)], b, 1, nullptr);
    });
    interrupt.after(work * static_cast<double>(to - from));
  }
}

template <class T>
void Executor<T>::add_sums(Workspace<T>& ws, int64_t count, double* sums) const {
  for (int64_t r = 0; r < count; ++r) sums[0] += ws.row_loss[r];
  sums[1] += static_cast<double>(count);
}

template <class T>
void Executor<T>::evaluate(const Rows<T>& rows, int64_t batch, double* sums, Interrupt interrupt) {
  const auto lock = share();
  const Program& p = network_.program();
  const Plan& plan = network_.plan();
  const int64_t target_bytes = network_.target_bytes();
  const int64_t block =
      row_sharded_ ? block_rows(plan) : std::min(std::max<int64_t>(batch, 1), std::max<int64_t>(rows.count, 1));
  const int64_t blocks = (rows.count + block - 1) / block;
  const int outer = team(plan.flops * static_cast<double>(rows.count), threads_);
  const int64_t tasks = row_sharded_ ? std::min<int64_t>(outer, blocks) : 1;
  const int threads = row_sharded_ ? 1 : threads_;
  if (blocks == 0) return;

  std::vector<Lease> leases;
  leases.reserve(at(tasks));
  for (int64_t t = 0; t < tasks; ++t) leases.emplace_back(*this, block, threads);
  auto one_block = [&](Workspace<T>& ws, int64_t b, Interrupt* ask) {
    const int64_t begin = b * block, count = std::min(block, rows.count - begin);
    for (size_t i = 0; i < p.inputs.size(); ++i)
      ws.value[at(p.inputs[i])] = const_cast<T*>(rows.x[i]) + begin * p.values[at(p.inputs[i])].size;
    const Run<T> r = run(ws, nullptr, threads);
    const void* target = static_cast<const char*>(rows.target) + begin * target_bytes;
    network_.forward(r, ws, count, true, ask);
    network_.loss(r, ws, count, target, rows.weight ? rows.weight + begin : nullptr, T(1), false);
    std::fill(ws.sums.begin(), ws.sums.end(), 0.0);
    network_.metrics(ws, count, target, ws.sums.data());
  };
  // Each round's blocks are added in order, so that neither threads nor timing can show in the sums.
  for (int64_t from = 0; from < blocks; from += tasks) {
    const int64_t to = std::min(blocks, from + tasks);
    if (row_sharded_)
      parallel_for(to - from, outer, [&](int64_t t) noexcept { one_block(*leases[at(t)], from + t, nullptr); });
    else
      one_block(*leases[0], from, &interrupt);
    for (int64_t b = from; b < to; ++b) {
      Workspace<T>& ws = *leases[at(b - from)];
      add_sums(ws, std::min(block, rows.count - b * block), sums);
      for (size_t i = 2; i < ws.sums.size(); ++i) sums[i] += ws.sums[i];
    }
    interrupt.after(plan.flops * static_cast<double>(block * (to - from)));
  }
}

// Backward over all rows at once, then the inputs' gradients copied out.
template <class T>
void Executor<T>::backward_all(const BackwardPlan& plan, Workspace<T>& ws, int64_t count, T* dparams, T* const* dx) {
  const Program& p = network_.program();
  network_.backward(plan, run(ws, dparams, threads_), ws, count, nullptr, nullptr);
  for (size_t i = 0; i < p.inputs.size(); ++i) {
    const T* from = ws.gradient[at(p.inputs[i])];
    const size_t bytes = at(count * p.values[at(p.inputs[i])].size) * sizeof(T);
    if (from)
      std::memcpy(dx[i], from, bytes);
    else
      std::memset(dx[i], 0, bytes);  // this input doesn't reach where the walk began
  }
}

template <class T>
double Executor<T>::gradients(const Rows<T>& rows, T* dparams, T* const* dx) {
  const auto lock = share();
  const Program& p = network_.program();
  const BackwardPlan plan = plan_backward(p, From::loss, true);
  const auto ws = network_.workspace(std::max<int64_t>(rows.count, 1), threads_, &plan);
  for (size_t i = 0; i < p.inputs.size(); ++i) ws->value[at(p.inputs[i])] = const_cast<T*>(rows.x[i]);
  const Run<T> r = run(*ws, dparams, threads_);
  network_.forward(r, *ws, rows.count, true, nullptr);
  const T scale = rows.count ? T(1) / static_cast<T>(rows.count) : T(0);
  network_.loss(r, *ws, rows.count, rows.target, rows.weight, scale, true);
  backward_all(plan, *ws, rows.count, dparams, dx);
  double sums[2] = {0, 0};
  add_sums(*ws, rows.count, sums);
  return rows.count ? sums[0] / sums[1] : 0.0;
}

template <class T>
void Executor<T>::vjp(const Rows<T>& rows, const T* const* dy, T* const* y, T* dparams, T* const* dx) {
  const auto lock = share();
  const Program& p = network_.program();
  const BackwardPlan plan = plan_backward(p, From::outputs, true);
  const auto ws = network_.workspace(std::max<int64_t>(rows.count, 1), threads_, &plan);
  for (size_t i = 0; i < p.inputs.size(); ++i) ws->value[at(p.inputs[i])] = const_cast<T*>(rows.x[i]);
  network_.forward(run(*ws, nullptr, threads_), *ws, rows.count, false, nullptr);
  for (size_t i = 0; i < p.outputs.size(); ++i) {
    const int64_t n = rows.count * p.values[at(p.outputs[i])].size;
    std::memcpy(y[i], ws->value[at(p.outputs[i])], at(n) * sizeof(T));
    T* seed = ws->gradient[at(p.outputs[i])];
    const bool again = std::find(p.outputs.begin(), p.outputs.begin() + static_cast<int64_t>(i), p.outputs[i]) !=
                       p.outputs.begin() + static_cast<int64_t>(i);
    if (seed && again)
      network_.kernels().add(n, dy[i], seed);
    else if (seed)
      std::memcpy(seed, dy[i], at(n) * sizeof(T));
  }
  backward_all(plan, *ws, rows.count, dparams, dx);
}

template <class T>
void Executor<T>::update(const T* gradient, T rate) {
  const OptimizerCall& o = network_.program().optimizer;
  split_range(network_.program().param_size, 64, 1 << 17, threads_, [&](int64_t i, int64_t n) {
    if (o.momentum != 0)
      network_.kernels().sgd_momentum(n, rate, static_cast<T>(o.momentum), o.nesterov, gradient + i, slots_ + i,
                                      params_ + i);
    else
      network_.kernels().sgd(n, rate, gradient + i, params_ + i);
  });
}

template <class T>
void Executor<T>::apply(const T* gradient, T rate) {
  const auto lock = alone();
  update(gradient, rate);
}

template <class T>
void Executor<T>::train(const Rows<T>& rows, int64_t batch, std::optional<Shuffle> shuffle, int64_t first, int64_t last,
                        T rate, double* sums, Interrupt interrupt) {
  const auto lock = alone();
  struct Here {
    std::atomic<std::thread::id>& trainer;
    explicit Here(std::atomic<std::thread::id>& t) : trainer(t) { trainer = std::this_thread::get_id(); }
    ~Here() { trainer = std::thread::id(); }
  } here(trainer_);
  if (!training_) training_ = std::make_unique<Training>();
  Training& t = *training_;
  const int64_t rows_of_batch = std::min(batch, rows.count);
  t.reserve(network_, rows_of_batch, row_sharded_, threads_);
  const int64_t* order = shuffle ? t.order(*shuffle, rows.count) : nullptr;
  const double flops = 3 * network_.plan().flops;
  for (size_t s = 0; s < t.shards.size(); ++s) observe(*t.shards[s], static_cast<int64_t>(s));
  Laps* const laps = watch_ ? &watch_->caller : nullptr;
  for (int64_t s = first; s < last; ++s) {
    const int64_t begin = s * batch, count = std::min(batch, rows.count - begin);
    step(t, rows, order, begin, count, sums, interrupt);
    start(laps);
    update(t.gradient.data(), rate);
    lap(laps, Part::update);
    interrupt.after(row_sharded_ ? flops * static_cast<double>(count) : 0.0);
  }
}

template class Executor<float>;
template class Executor<double>;

}  // namespace netlet
