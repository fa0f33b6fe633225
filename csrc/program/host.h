// The host: it runs what a Program names and this library has no kernel for. Python is one, with the references of its
// ops; a loss, a metric or an op that somebody wrote in Python comes this way too.
//
// Whatever a host throws passes through the executor, which then is as it was before the step. A Program that needs a
// host runs op by op on the thread that called, never within a team or a shard.
#pragma once

#include <cstdint>

namespace netlet {

// How a Program is run: what ops that act otherwise in training, or draw random numbers, depend on.
struct Context {
  bool training = false;
  uint64_t iteration = 0;  // updates made before this step
  int64_t row = 0;         // the place in the batch of the first row
};

class Host {
 public:
  virtual ~Host() = default;

  // Which of the Program's ops, loss and metrics (by their places) are the host's to run.
  virtual bool runs_op(int op) const = 0;
  virtual bool runs_loss() const = 0;
  virtual bool runs_metric(int metric) const = 0;

  // y <- op(x): x[i], y [rows, size of the value]; op is its place in the Program's list.
  virtual void forward(int op, const Context&, int64_t rows, const void* const* x, void* y) = 0;

  // Given dy, which may be overwritten: dx[i] <- gradient where it isn't null; dparams, the gradient of the whole arena
  // or null: the op's params' parts are overwritten, or added to where `accumulate`.
  virtual void backward(int op, const Context&, int64_t rows, const void* const* x, const void* y, void* dy,
                        void* const* dx, void* dparams, bool accumulate) = 0;

  // row_loss[rows] <- weight times loss; gradient (or null) <- that of the weighted mean over these rows.
  virtual void loss(int64_t rows, const void* prediction, const void* target, const void* weight, void* gradient,
                    double* row_loss) = 0;

  // Lets the metric at this place in the Program's list see a batch.
  virtual void metric(int metric, int64_t rows, const void* prediction, const void* target, const void* weight) = 0;

  // Whether training has something to do between the gradient of a step and its update, and after that: penalties on
  // the weights, constraints.
  virtual bool penalizes() const = 0;
  virtual bool constrains() const = 0;
  // Adds the penalties' gradients to that of the arena, where it isn't null; returns their sum.
  virtual double penalize(void* gradient) = 0;
  // Brings the weights back to where their constraints want them.
  virtual void constrain() = 0;

  // Whether it is the optimizer, and its step: the whole gradient [param_size], which may be overwritten; `iteration`
  // steps were made before.
  virtual bool updates() const = 0;
  virtual void update(void* gradient, double rate, int64_t iteration) = 0;

  // The labels of a loss that the host runs: elements a row, and whether they are int32.
  virtual int64_t label_size() const = 0;
  virtual bool integer_labels() const = 0;
};

}  // namespace netlet
