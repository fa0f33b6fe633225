// The optimizer of a Program: which rule, with which settings, on which parameters.
#pragma once

#include <cstdint>
#include <vector>

namespace netlet {

enum class OptimizerKind {
  sgd,
  adam,
  adamax,
  nadam,
  rmsprop,
  adagrad,
  adadelta,
  lion,
  lamb,
  ftrl,
  adafactor,
  muon,
  schedule_free_adamw,
  custom,  // the host's; see host.h
};

// Settings stand at their neutral values where the kind or the Program has none.
struct OptimizerCall {
  OptimizerKind kind = OptimizerKind::sgd;
  double momentum = 0;
  double beta_1 = 0, beta_2 = 0;  // beta_2: also rho
  double epsilon = 0;
  bool nesterov = false, amsgrad = false, centered = false;
  double power = 0, l1 = 0, l2 = 0, shrinkage = 0, beta = 0;            // ftrl; power: minus its learning_rate_power
  double beta_2_decay = 0, epsilon_2 = 0, clip_threshold = 0;           // adafactor, whose epsilon_1 is epsilon
  double ns_a = 0, ns_b = 0, ns_c = 0, adam_ratio = 0, adam_decay = 0;  // muon
  double rms_rate = -1;                                                 // muon; negative: none
  int64_t ns_steps = 0;                                                 // muon
  int64_t warmup_steps = 0;                                             // schedule_free_adamw
  int64_t custom_slots = 0;                                             // custom: all its slots

  double weight_decay = 0;
  double clipnorm = 0, clipvalue = 0, global_clipnorm = 0;  // 0: none
  double average_momentum = -1;                             // of the weights' moving average; negative: none is kept
  int64_t overwrite_every = 0;                              // updates after which the average becomes the weights
  int64_t accumulate = 1;                                   // steps whose gradients make one update
  std::vector<char> frozen, no_decay, by_adam;              // [params]; by_adam: muon's that Adam moves

  bool averages() const { return average_momentum >= 0; }

  // Arrays of the arena's layout: the rule's own, then the weights' average, then the gathered gradient.
  int own_slots() const {
    switch (kind) {
      case OptimizerKind::sgd:
        return momentum != 0 ? 1 : 0;
      case OptimizerKind::adam:
        return amsgrad ? 3 : 2;
      case OptimizerKind::rmsprop:
        return 1 + (momentum > 0 ? 1 : 0) + (centered ? 1 : 0);
      case OptimizerKind::adagrad:
      case OptimizerKind::lion:
        return 1;
      case OptimizerKind::custom:
        return static_cast<int>(custom_slots);
      default:
        return 2;
    }
  }
  int slots() const { return own_slots() + (averages() ? 1 : 0) + (accumulate > 1 ? 1 : 0); }
};

}  // namespace netlet
