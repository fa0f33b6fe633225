// The Program: a network as data. Values (per row), parameters in one arena, op calls in order, loss, optimizer,
// metrics.
//
// `parse_program` is the only door: it takes the JSON text that Python builds and that saved files hold, and checks all
// of it, so that whoever holds a Program may index without asking again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/shape.h"
#include "kernels/kernels.h"
#include "program/host.h"
#include "program/optimizer.h"

namespace netlet {

enum class DType { float32, float64 };

struct Value {
  std::string name;
  Shape shape;   // of one row
  int64_t size;  // elements of one row
};

struct Param {
  std::string name;
  Shape shape;
  int64_t offset, size;  // in the arena, in elements
};

struct Activation {
  Act act = Act::linear;
  double alpha = 0;  // leaky_relu's slope, elu's scale, the shrinks' threshold, ...
};

inline constexpr size_t kMostInputs = 64;  // of an op

// What a normalization is made with; see csrc/kernels/normalization.inl.
struct Norm {
  double epsilon = 1e-3, momentum = 0.99;
  bool scale = true, center = true;  // it has gamma, beta
  bool rms = false;                  // of layer_normalization
  bool frozen = false;               // of batch_normalization
  int64_t width = 1;                 // elements that share a mean (layer), or channels (batch)
};

// hosted: one that the host runs; see host.h.
enum class OpKind {
  dense,
  activation,
  piecewise,
  softmax,
  log_softmax,
  reshape,
  embedding,
  dropout,
  batch_normalization,
  layer_normalization,
  merge,
  concatenate,
  prelu,
  repeat_vector,
  permute,
  rescale,
  standardize,
  hosted,
};

struct OpCall {
  OpKind kind;
  std::vector<int> inputs;  // values
  int output;
  std::vector<int> params, state;
  Activation activation;  // dense's epilogue, or the op itself
  Piecewise<double> piecewise{};
  Norm norm{};
  Merge merge = Merge::add;
  double rate = 0;                      // of dropout
  uint64_t seed = 0;                    // of dropout
  int64_t axis = 0;                     // of concatenate: in the shape of a row
  std::vector<int64_t> axes;            // of permute: those of the input, counted from 1, in their new order
  std::vector<double> scales, offsets;  // of rescale: one each, or as many as the last axis has
};

struct LossCall {
  LossKind kind;
  int input;
  int output = -1;  // the probabilities of `input`, where a loss on logits was fused with their activation
  int64_t positions, classes;
  double delta = 1;        // of huber
  bool hosted = false;     // the host runs it, and says what the labels are:
  int64_t label_size = 0;  // elements a row
  bool label_int = false;  // of int32
};

enum class MetricKind {
  mean_squared_error,
  mean_absolute_error,
  binary_accuracy,
  categorical_accuracy,
  sparse_categorical_accuracy,
  confusion,
  hosted,
};

struct MetricCall {
  MetricKind kind;
  int input;
  int64_t positions, classes;
  double threshold = 0.5;
  bool argmax = false;     // confusion: the prediction is its largest class, not what exceeds the threshold
  bool per_class = false;  // confusion: counts for each class
  int64_t offset, size;    // its slice of the sums
};

struct Program {
  DType dtype;
  std::vector<Value> values;
  std::vector<Param> params, state;
  int64_t param_size = 0, state_size = 0;
  std::vector<int> inputs, outputs;
  std::vector<OpCall> ops;
  bool has_loss = false, has_optimizer = false;
  LossCall loss;
  OptimizerCall optimizer;
  std::vector<MetricCall> metrics;
  int64_t sums_size = 2;  // loss, rows, then each metric's slice
  bool hosted = false;    // something in it needs a host
  bool couples = false;   // in training, what becomes of a row depends on the others of its batch
};

// Fails with Kind::format. Of what the host runs, the shapes are taken as they stand.
Program parse_program(std::string_view json, const Host* host = nullptr);

}  // namespace netlet
