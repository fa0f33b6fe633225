// The executor: predict, train, evaluate and gradients of one Program over rows in memory, with no Python in sight.
//
// Two schedules (schedule.h): small networks carry fixed shards of the batch through the whole chain, one core each,
// into gradients that are then added in a fixed tree; large ones split each op over the threads. Both give the same
// bits for any number of threads.
//
// predict, evaluate, gradients and vjp may be called by any number of threads at once; train and apply are exclusive.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <thread>

#include "program/forward.h"
#include "program/predictor.h"
#include "program/profile.h"
#include "program/update.h"

namespace netlet {

// Rows in the caller's memory. x[i]: [rows, size of input i]; target: [rows, ...] or null; weight: [rows] or null.
template <class T>
struct Rows {
  int64_t count = 0;
  std::vector<const T*> x;
  const void* target = nullptr;
  const T* weight = nullptr;
};

template <class T>
class Lent;

struct Shuffle {
  uint64_t seed, epoch;
};

template <class T>
class Executor {
 public:
  // params: [param_size]; slots: [slots, param_size]; state: [state_size]; they outlive the executor and are read and
  // written in place. host: null unless the Program needs one.
  Executor(Program program, Isa isa, T* params, T* slots, int threads, std::shared_ptr<Host> host = nullptr,
           T* state = nullptr);
  ~Executor();

  const Program& program() const { return network_.program(); }

  void predict(const Rows<T>& rows, T* const* out, int64_t batch, Interrupt interrupt);

  // The network with its params as they are between two steps: waits for a train that runs.
  std::unique_ptr<Predictor<T>> predictor();

  // to[param_size] <- the params as they are between two steps.
  void copy_params(T* to);

  // Steps first..last-1 of an epoch: step s takes positions [s * batch, (s + 1) * batch) of the shuffled rows, runs
  // forward, loss and backward, and updates. Adds to sums after each whole step; an interrupt falls between updates.
  // pace.rates has one rate for each of these steps; pace.iteration counts those made before `first`.
  void train(const Rows<T>& rows, int64_t batch, std::optional<Shuffle> shuffle, int64_t first, int64_t last,
             const Pace& pace, double* sums, Interrupt interrupt);

  // All steps of so many epochs, shuffle.epoch and those after it, each adding to its own sums[e, sums_size].
  // pace.rates has one rate for each step of them all.
  void train_epochs(const Rows<T>& rows, int64_t batch, std::optional<Shuffle> shuffle, int64_t epochs, Pace pace,
                    double* sums, Interrupt interrupt);

  void evaluate(const Rows<T>& rows, int64_t batch, double* sums, Interrupt interrupt);

  // One batch of all rows: its loss, and the gradients of params and inputs (dx[i] [rows, size]).
  double gradients(const Rows<T>& rows, T* dparams, T* const* dx);
  // Forward, then backward from cotangents dy of the outputs.
  void vjp(const Rows<T>& rows, const T* const* dy, T* const* y, T* dparams, T* const* dx, Context context = {});

  // The optimizer alone; `iteration`: how many steps were made before.
  void apply(const T* gradient, double rate, int64_t iteration);

  // Times steps of train on whole batches of these rows, or of predict where they have no target, for about `seconds`
  // and at least three of them; see profile.h. Params and slots stay as they are.
  Profile profile(const Rows<T>& rows, int64_t batch, double rate, double seconds, Interrupt interrupt);

 private:
  struct Training;   // the memory of a training step, kept from one to the next
  struct Backward {  // a walk for `gradients` or `vjp`, with its idle workspaces
    Backward(const Network<T>& network, From from)
        : plan(plan_backward(network.program(), from, true)), pool(network, &plan) {}
    const BackwardPlan plan;
    WorkspacePool<T> pool;
  };
  class Exclusive;  // holds the executor for training

  void train_steps(const Rows<T>& rows, int64_t batch, std::optional<Shuffle> shuffle, int64_t first, int64_t last,
                   const Pace& pace, double* sums, Interrupt& interrupt);

  Run<T> run(Workspace<T>& ws, T* dparams, int threads) const;
  void gather(Workspace<T>& ws, const Rows<T>& rows, const int64_t* order, int64_t first, int64_t count, int threads,
              const void** target, const T** weight) const;
  // One step, with its update. `interrupt`, where given, is asked between ops until the update begins.
  void step(Training& t, const Rows<T>& rows, const int64_t* order, int64_t first, int64_t count, double rate,
            int64_t iteration, double* sums, int threads, Interrupt* interrupt);
  void add_up(Training& t, int64_t shards, int64_t begin, int64_t end) const;
  void update(Training& t, int64_t shards, int64_t begin, int64_t end);
  void add_sums(Workspace<T>& ws, int64_t count, double* sums) const;
  void lend_inputs(Lent<T>& lent, Workspace<T>& ws, int64_t count, T* const* dx) const;
  void observe(Workspace<T>& ws, int64_t chain) const {
    ws.laps = watch_ ? watch_->chain(static_cast<size_t>(chain)) : nullptr;
  }

  // The lock, shared or alone. Fails with Kind::runtime where this thread is training already (a signal handler that
  // runs between two steps calls back), which would wait for itself.
  std::shared_lock<std::shared_mutex> share();
  std::unique_lock<std::shared_mutex> alone();
  void check_entry();

  Network<T> network_;
  T* params_;
  T* slots_;
  T* state_;
  int threads_;
  Update<T> update_;
  bool row_sharded_, training_sharded_;
  WorkspacePool<T> pool_;
  Forward<T> forward_;
  std::unique_ptr<Training> training_;
  std::unique_ptr<Backward> from_loss_, from_outputs_;
  // train and apply hold it alone; the rest share it. Everyone comes in through the gate, where whoever waits to be
  // alone keeps later ones out: a stream of predictions can't starve training.
  struct Lock {
    std::mutex gate;
    std::shared_mutex room;
  };
  std::unique_ptr<Lock> lock_;
  int fork_generation_;
  std::atomic<std::thread::id> trainer_{};  // who is in train
  Watch* watch_ = nullptr;                  // where a profile is taken
};

}  // namespace netlet
