// What can be known about a Program before any row is seen: who shares memory, what needs a gradient, where values lie.
#pragma once

#include "program/program.h"

namespace netlet {

// The backward walk from the loss, or from cotangents of the outputs.
struct BackwardPlan {
  struct Step {
    int op;
    std::vector<char> wants;  // for each input of the op: compute its gradient
    std::vector<char> adds;   // ... and add it to what a later op has written there
  };
  std::vector<Step> steps;
  std::vector<char> wanted;  // for each value: its gradient is computed
  bool zero_first = false;   // some params are written by no step or by several: clear the gradient, then accumulate
};

enum class From { loss, outputs };
BackwardPlan plan_backward(const Program& program, From from, bool inputs_too);

// Offsets of values in a workspace, in elements a row; -1 where the value is an input or shares another's memory.
struct Layout {
  std::vector<int64_t> offset;
  int64_t per_row = 0;
};

struct Plan {
  explicit Plan(const Program& program);

  std::vector<int> root;  // for each value, the value whose memory it shares (itself, but for reshapes)
  std::vector<char> is_input;
  std::vector<char> serves;         // for each op: an output depends on it; others are there for the loss alone
  std::vector<char> direct;         // for each output: it's computed into memory of its own, so may go to the caller's
  int deferred_op = -1;             // the op whose output the loss writes itself: skipped while training and evaluating
  bool loss_writes_output = false;  // somebody reads what the deferred op would have written
  Layout all;                       // every value kept, for backward
  Layout live;                      // a value's memory is used again once its last reader has run
  double flops;                     // of one row, forward
  int64_t widest = 1;               // elements of the largest value
};

}  // namespace netlet
