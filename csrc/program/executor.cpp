// The executor: predict, evaluate and gradients. The training step is in training.cpp.
#include "program/executor.h"

#include <algorithm>

#include "program/schedule.h"
#include "program/training.h"

namespace netlet {
namespace {

size_t at(int i) { return static_cast<size_t>(i); }
size_t at(int64_t i) { return static_cast<size_t>(i); }

constexpr int64_t kCopiedAtOnce = 1 << 16;  // elements that one thread copies sooner than several

}  // namespace

template <class T>
Executor<T>::Executor(Program program, Isa isa, T* params, T* slots, int threads, std::shared_ptr<Host> host, T* state)
    : network_(std::move(program), ::netlet::kernels<T>(isa), std::move(host)),
      params_(params),
      slots_(slots),
      state_(state),
      threads_(std::max(threads, 1)),
      update_(network_.program(), network_.kernels(), params_, slots_, threads_),
      row_sharded_(row_sharded(network_.program(), sizeof(T))),
      training_sharded_(training_sharded(network_.program(), sizeof(T))),
      pool_(network_),
      forward_(network_, pool_, threads_),
      from_loss_(network_.program().has_loss ? std::make_unique<Backward>(network_, From::loss) : nullptr),
      from_outputs_(std::make_unique<Backward>(network_, From::outputs)),
      lock_(std::make_unique<Lock>()),
      fork_generation_(fork_generation()) {}

template <class T>
Executor<T>::~Executor() = default;

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
  Run<T> r{network_.kernels(), params_, dparams, false, threads, ws.scratch, ws.scratch_stride};
  r.state = state_;
  return r;
}

template <class T>
void Executor<T>::predict(const Rows<T>& rows, T* const* out, int64_t batch, Interrupt interrupt) {
  const auto lock = share();
  forward_.run(params_, state_, rows.count, rows.x.data(), out, batch, interrupt, watch_);
}

template <class T>
std::unique_ptr<Predictor<T>> Executor<T>::predictor() {
  const auto lock = share();
  return std::make_unique<Predictor<T>>(network_.program(), network_.kernels(), params_, state_, threads_);
}

template <class T>
void Executor<T>::copy_params(T* to) {
  const auto lock = share();
  std::copy_n(params_, program().param_size, to);
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
  if (Host* host = network_.host().get(); host && host->penalizes())
    sums[0] += static_cast<double>(rows.count) * host->penalize(nullptr);

  std::vector<typename WorkspacePool<T>::Lease> leases;
  leases.reserve(at(tasks));
  for (int64_t t = 0; t < tasks; ++t) leases.emplace_back(pool_, block, threads);
  auto one_block = [&](Workspace<T>& ws, int64_t b, Interrupt* ask) {
    const int64_t begin = b * block, count = std::min(block, rows.count - begin);
    for (size_t i = 0; i < p.inputs.size(); ++i)
      ws.value[at(p.inputs[i])] = const_cast<T*>(rows.x[i]) + begin * p.values[at(p.inputs[i])].size;
    const Run<T> r = run(ws, nullptr, threads);
    const void* target = static_cast<const char*>(rows.target) + begin * target_bytes;
    network_.forward(r, ws, count, true, ask);
    const T* weight = rows.weight ? rows.weight + begin : nullptr;
    network_.loss(r, ws, count, target, weight, T(1), false);
    std::fill(ws.sums.begin(), ws.sums.end(), 0.0);
    network_.metrics(ws, count, target, weight, ws.sums.data());
  };
  // Each round's blocks are added in order, so that neither threads nor timing can show in the sums.
  auto one_round = [&](int64_t from, Interrupt* ask) {
    const int64_t to = std::min(blocks, from + tasks);
    if (row_sharded_)
      parallel_for(to - from, outer, [&](int64_t t) noexcept { one_block(*leases[at(t)], from + t, nullptr); });
    else
      one_block(*leases[0], from, ask);
    for (int64_t b = from; b < to; ++b) {
      Workspace<T>& ws = *leases[at(b - from)];
      add_sums(ws, std::min(block, rows.count - b * block), sums);
      for (size_t i = 2; i < ws.sums.size(); ++i) sums[i] += ws.sums[i];
    }
  };
  const double work = plan.flops * static_cast<double>(block * tasks);
  if ((work > kLongStep || p.hosted) && !row_sharded_) {
    for (int64_t from = 0; from < blocks; ++from) one_round(from, &interrupt);
    return;
  }
  const int64_t stretch = (static_cast<int64_t>(kAskEvery / std::max(work, 1e3)) + 1) * tasks;
  for (int64_t begin = 0; begin < blocks; begin += stretch) {
    const int64_t end = std::min(blocks, begin + stretch);
    with_team(outer, [&] {
      for (int64_t from = begin; from < end; from += tasks) one_round(from, nullptr);
    });
    interrupt.after(plan.flops * static_cast<double>(block * (end - begin)));
  }
}

// Lets pointers of a workspace lead to a caller's memory, until it goes.
template <class T>
class Lent {
 public:
  Lent() = default;
  Lent(const Lent&) = delete;
  ~Lent() {
    for (const auto& [slot, own] : lent_) *slot = own;
  }
  void lend(T*& slot, T* to) {
    lent_.emplace_back(&slot, slot);
    slot = to;
  }

 private:
  std::vector<std::pair<T**, T*>> lent_;
};

// The inputs' gradients go to dx; those of inputs that don't reach where the walk begins are zero.
template <class T>
void Executor<T>::lend_inputs(Lent<T>& lent, Workspace<T>& ws, int64_t count, T* const* dx) const {
  const Program& p = network_.program();
  for (size_t i = 0; i < p.inputs.size(); ++i) {
    T*& gradient = ws.gradient[at(p.inputs[i])];
    if (gradient)
      lent.lend(gradient, dx[i]);
    else
      std::fill_n(dx[i], count * p.values[at(p.inputs[i])].size, T(0));
  }
}

template <class T>
double Executor<T>::gradients(const Rows<T>& rows, T* dparams, T* const* dx) {
  const auto lock = share();
  const Program& p = network_.program();
  const typename WorkspacePool<T>::Lease ws(from_loss_->pool, std::max<int64_t>(rows.count, 1), threads_);
  for (size_t i = 0; i < p.inputs.size(); ++i) (*ws).value[at(p.inputs[i])] = const_cast<T*>(rows.x[i]);
  Lent<T> lent;
  lend_inputs(lent, *ws, rows.count, dx);
  const Run<T> r = run(*ws, dparams, threads_);
  const T scale = rows.count ? T(1) / static_cast<T>(rows.count) : T(0);
  const int helpers = p.hosted ? 1 : team(3 * network_.plan().flops * static_cast<double>(rows.count), threads_);
  with_team(helpers, [&] {
    network_.forward(r, *ws, rows.count, true, nullptr);
    network_.loss(r, *ws, rows.count, rows.target, rows.weight, scale, true);
    network_.backward(from_loss_->plan, r, *ws, rows.count, nullptr, nullptr);
  });
  double sums[2] = {0, 0};
  add_sums(*ws, rows.count, sums);
  Host* host = network_.host().get();
  const double penalty = host && host->penalizes() ? host->penalize(dparams) : 0;
  return penalty + (rows.count ? sums[0] / sums[1] : 0.0);
}

template <class T>
void Executor<T>::vjp(const Rows<T>& rows, const T* const* dy, T* const* y, T* dparams, T* const* dx, Context context) {
  const Program& p = network_.program();
  const Plan& plan = network_.plan();
  std::shared_lock<std::shared_mutex> shared;
  std::unique_lock<std::shared_mutex> own;
  if (context.training && p.state_size > 0)
    own = alone();
  else
    shared = share();
  const typename WorkspacePool<T>::Lease lease(from_outputs_->pool, std::max<int64_t>(rows.count, 1), threads_);
  Workspace<T>& ws = *lease;
  for (size_t i = 0; i < p.inputs.size(); ++i) ws.value[at(p.inputs[i])] = const_cast<T*>(rows.x[i]);
  Lent<T> lent;
  lend_inputs(lent, ws, rows.count, dx);
  for (size_t i = 0; i < p.outputs.size(); ++i)
    if (plan.direct[i]) lent.lend(ws.value[at(p.outputs[i])], y[i]);
  Run<T> r = run(ws, dparams, threads_);
  r.context = context;
  if (context.training) r.moving = state_;
  const int helpers = p.hosted ? 1 : team(3 * plan.flops * static_cast<double>(rows.count), threads_);
  with_team(helpers, [&] {
    network_.forward(r, ws, rows.count, false, nullptr);
    for (size_t i = 0; i < p.outputs.size(); ++i) {
      const int64_t size = rows.count * p.values[at(p.outputs[i])].size;
      T* const seed = ws.gradient[at(p.outputs[i])];
      const bool again = std::find(p.outputs.begin(), p.outputs.begin() + static_cast<int64_t>(i), p.outputs[i]) !=
                         p.outputs.begin() + static_cast<int64_t>(i);
      split_range(size, 64, kCopiedAtOnce, helpers, [&](int64_t from, int64_t n) {
        if (!plan.direct[i]) std::copy_n(ws.value[at(p.outputs[i])] + from, n, y[i] + from);
        if (seed && again)
          network_.kernels().add(n, dy[i] + from, seed + from);
        else if (seed)
          std::copy_n(dy[i] + from, n, seed + from);
      });
    }
    network_.backward(from_outputs_->plan, r, ws, rows.count, nullptr, nullptr);
  });
}

template <class T>
void Executor<T>::apply(const T* gradient, double rate, int64_t iteration) {
  const auto lock = alone();
  const int64_t size = network_.program().param_size;
  AlignedBuffer<T> copy(update_.keeps_gradient() ? 0 : size);
  if (!update_.keeps_gradient()) std::copy(gradient, gradient + size, copy.begin());
  T* const g = update_.keeps_gradient() ? const_cast<T*>(gradient) : copy.data();  // not written to then
  if (Host* host = network_.host().get(); host && host->updates()) return host->update(g, rate, iteration);
  update_.begin(rate, iteration);
  if (update_.by_stretch())
    split_range(size, 64, 1 << 17, threads_, [&](int64_t i, int64_t n) { update_.stretch(g, i, n); });
  else
    update_.all(g);
}

template <class T>
class Executor<T>::Exclusive {
 public:
  explicit Exclusive(Executor& executor) : lock_(executor.alone()), trainer_(executor.trainer_) {
    trainer_ = std::this_thread::get_id();
  }
  ~Exclusive() { trainer_ = std::thread::id(); }
  Exclusive(const Exclusive&) = delete;
  Exclusive& operator=(const Exclusive&) = delete;

 private:
  const std::unique_lock<std::shared_mutex> lock_;
  std::atomic<std::thread::id>& trainer_;
};

template <class T>
void Executor<T>::train(const Rows<T>& rows, int64_t batch, std::optional<Shuffle> shuffle, int64_t first, int64_t last,
                        const Pace& pace, double* sums, Interrupt interrupt) {
  const Exclusive mine(*this);
  train_steps(rows, batch, shuffle, first, last, pace, sums, interrupt);
}

template <class T>
void Executor<T>::train_epochs(const Rows<T>& rows, int64_t batch, std::optional<Shuffle> shuffle, int64_t epochs,
                               Pace pace, double* sums, Interrupt interrupt) {
  const Exclusive mine(*this);
  const int64_t steps = (rows.count + batch - 1) / batch;
  for (int64_t e = 0; e < epochs; ++e) {
    train_steps(rows, batch, shuffle, 0, steps, pace, sums + e * network_.program().sums_size, interrupt);
    if (shuffle) ++shuffle->epoch;
    if (pace.rates) pace.rates += steps;
    pace.iteration += steps;
  }
}

template <class T>
void Executor<T>::train_steps(const Rows<T>& rows, int64_t batch, std::optional<Shuffle> shuffle, int64_t first,
                              int64_t last, const Pace& pace, double* sums, Interrupt& interrupt) {
  if (!training_) training_ = std::make_unique<Training>();
  Training& t = *training_;
  const int64_t rows_of_batch = std::min(batch, rows.count);
  t.reserve(network_, update_.plain(), rows_of_batch, training_sharded_, threads_);
  const int64_t* order = shuffle ? t.order(network_.kernels(), *shuffle, rows.count) : nullptr;
  for (size_t s = 0; s < t.shards.size(); ++s) observe(*t.shards[s], static_cast<int64_t>(s));
  const double flops = 3 * network_.plan().flops * static_cast<double>(rows_of_batch);
  const Host* host = network_.host().get();
  // Nothing of the host's may run in a team.
  const bool apart =
      network_.program().hosted || (host && (host->penalizes() || host->constrains() || host->updates()));
  if (flops > kLongStep || apart) {
    for (int64_t s = first; s < last; ++s) {
      const int64_t begin = s * batch;
      step(t, rows, order, begin, std::min(batch, rows.count - begin), pace.rate_of(s - first),
           pace.iteration + s - first, sums, threads_, &interrupt);
    }
    return;
  }
  const double each = flops + 2000;  // what a step costs, though it be of no flops
  if (t.chosen_for != each) t.choice.emplace(), t.chosen_for = each;
  for (int64_t from = first, to; from < last; from = to) {
    const bool choose = forward_.dynamic() && team_at_once(flops, threads_) > 1;
    const double begin = choose ? ThreadChoice::clock() : 0;
    const ThreadChoice::Turn turn = choose ? t.choice->next(begin) : ThreadChoice::Turn{true, kAskEvery};
    to = std::min(last, from + static_cast<int64_t>(std::min(turn.most, kAskEvery) / each) + 1);
    const double work = each * static_cast<double>(to - from);
    const int threads = turn.together ? team(flops * static_cast<double>(to - from), threads_) : 1;
    with_team(threads, [&] {
      for (int64_t s = from; s < to; ++s) {
        const int64_t row = s * batch;
        step(t, rows, order, row, std::min(batch, rows.count - row), pace.rate_of(s - first),
             pace.iteration + s - first, sums, threads, nullptr);
      }
    });
    if (choose) {
      const double end = ThreadChoice::clock();
      t.choice->took(turn.together, work, end - begin, end);
    }
    interrupt.after(work);
  }
}

template class Executor<float>;
template class Executor<double>;

}  // namespace netlet
