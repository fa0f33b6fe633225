// Reads the optimizer of a Program: which attributes each kind has, their ranges and defaults, and those of all kinds.
#include "program/parse_optimizer.h"

#include <string>

#include "core/error.h"

namespace netlet {
namespace {

using Of = OptimizerKind;

[[noreturn]] void bad(const std::string& where, const std::string& what) {
  fail(Kind::format, "program: optimizer." + where + ": " + what);
}

constexpr double kMost = 1e300;

// A number's attribute: where it goes, its default and its range.
struct Number {
  const char* name;
  double OptimizerCall::* to;
  double otherwise, low = 0, high = kMost;
};
struct Flag {
  const char* name;
  bool OptimizerCall::* to;
};
struct Layout {
  const char* name;
  OptimizerKind kind;
  std::vector<Number> numbers;
  std::vector<Flag> flags = {};
};

const std::vector<Layout>& layouts() {
  using O = OptimizerCall;
  const Number beta_1{"beta_1", &O::beta_1, 0.9, 0, 1}, beta_2{"beta_2", &O::beta_2, 0.999, 0, 1};
  const Number epsilon{"epsilon", &O::epsilon, 1e-7}, momentum{"momentum", &O::momentum, 0, 0, 1};
  static const std::vector<Layout> all{
      {"sgd", Of::sgd, {momentum}, {{"nesterov", &O::nesterov}}},
      {"adam", Of::adam, {beta_1, beta_2, epsilon}, {{"amsgrad", &O::amsgrad}}},
      {"adamax", Of::adamax, {beta_1, beta_2, epsilon}},
      {"nadam", Of::nadam, {beta_1, beta_2, epsilon}},
      {"rmsprop", Of::rmsprop, {{"rho", &O::beta_2, 0.9, 0, 1}, momentum, epsilon}, {{"centered", &O::centered}}},
      {"adagrad", Of::adagrad, {epsilon}},
      {"adadelta", Of::adadelta, {{"rho", &O::beta_2, 0.95, 0, 1}, epsilon}},
      {"lion", Of::lion, {beta_1, {"beta_2", &O::beta_2, 0.99, 0, 1}}},
      {"lamb", Of::lamb, {beta_1, beta_2, epsilon}},
      {"ftrl",
       Of::ftrl,
       {{"learning_rate_power", &O::power, -0.5, -kMost, 0},
        {"l1_regularization_strength", &O::l1, 0},
        {"l2_regularization_strength", &O::l2, 0},
        {"l2_shrinkage_regularization_strength", &O::shrinkage, 0},
        {"beta", &O::beta, 0}}},
      {"adafactor",
       Of::adafactor,
       {{"beta_2_decay", &O::beta_2_decay, -0.8, -kMost, 0},
        {"epsilon_1", &O::epsilon, 1e-30},
        {"epsilon_2", &O::epsilon_2, 1e-3},
        {"clip_threshold", &O::clip_threshold, 1}}},
      {"muon",
       Of::muon,
       {{"adam_beta_1", &O::beta_1, 0.9, 0, 1},
        {"adam_beta_2", &O::beta_2, 0.999, 0, 1},
        {"adam_weight_decay", &O::adam_decay, 0, -kMost},
        epsilon,
        {"muon_a", &O::ns_a, 3.4445, -kMost},
        {"muon_b", &O::ns_b, -4.775, -kMost},
        {"muon_c", &O::ns_c, 2.0315, -kMost},
        {"adam_lr_ratio", &O::adam_ratio, 1, -kMost},
        {"momentum", &O::momentum, 0.95, 0, 1},
        {"rms_rate", &O::rms_rate, -1}},
       {{"nesterov", &O::nesterov}}},
      {"schedule_free_adamw",
       Of::schedule_free_adamw,
       {{"beta_1", &O::beta_1, 0.9, 1e-6, 1}, beta_2, {"epsilon", &O::epsilon, 1e-8}}},
      {"custom", Of::custom, {}},
  };
  return all;
}

const std::vector<Number>& common_numbers() {
  using O = OptimizerCall;
  static const std::vector<Number> all{
      {"weight_decay", &O::weight_decay, 0, -kMost},
      {"clipnorm", &O::clipnorm, 0},
      {"clipvalue", &O::clipvalue, 0},
      {"global_clipnorm", &O::global_clipnorm, 0},
      {"ema_momentum", &O::average_momentum, -1, 0, 1},
  };
  return all;
}

class Reader {
 public:
  Reader(const json::Value& attrs, size_t params) : attrs_(attrs), params_(params) {}

  OptimizerCall read(const Layout& layout) {
    call_.kind = layout.kind;
    for (const Number& n : layout.numbers) number(n);
    for (const Flag& f : layout.flags)
      if (const json::Value* v = known(f.name)) call_.*f.to = v->boolean();
    for (const Number& n : common_numbers()) number(n);
    integer("ema_overwrite_frequency", call_.overwrite_every, 1);
    integer("gradient_accumulation_steps", call_.accumulate, 2);
    indexes("no_decay", call_.no_decay);
    indexes("frozen", call_.frozen);
    if (layout.kind == Of::muon) {
      call_.ns_steps = 5;
      integer("ns_steps", call_.ns_steps, 0);
      indexes("adam_params", call_.by_adam);
    }
    if (layout.kind == Of::schedule_free_adamw) integer("warmup_steps", call_.warmup_steps, 0);
    if (layout.kind == Of::custom) integer("slots", call_.custom_slots, 0, 1000);
    if (layout.kind == Of::ftrl) call_.power = -call_.power;
    for (const json::Value& member : attrs_.object())
      if (!taken(member.key())) bad("attrs", "unknown key \"" + member.key() + "\" for " + layout.name);
    if ((call_.clipnorm > 0) + (call_.clipvalue > 0) + (call_.global_clipnorm > 0) > 1)
      bad("attrs", "expected one of clipnorm, clipvalue and global_clipnorm at most");
    if (call_.overwrite_every > 0 && !call_.averages())
      bad("attrs.ema_overwrite_frequency", "there is no ema_momentum");
    return std::move(call_);
  }

 private:
  const json::Value* known(const char* name) {
    names_.emplace_back(name);
    return attrs_.find(name);
  }
  bool taken(const std::string& name) const {
    for (const std::string& known : names_)
      if (known == name) return true;
    return false;
  }

  void number(const Number& n) {
    call_.*n.to = n.otherwise;
    const json::Value* v = known(n.name);
    if (!v) return;
    if (v->is_null() && nullable(n)) return;
    call_.*n.to = v->number();
    if (!(call_.*n.to >= n.low && call_.*n.to <= n.high))
      bad(std::string("attrs.") + n.name, n.low == 0 && n.high == 1 ? "expected a number in [0, 1]"
                                          : n.low == 0              ? "expected a number of 0 or more"
                                          : n.high == 0             ? "expected a number of 0 or less"
                                          : n.high == 1             ? "expected a number above 0 and up to 1"
                                                                    : "expected a finite number");
  }
  // Null stands for the default: where that is "none".
  static bool nullable(const Number& n) {
    return n.to == &OptimizerCall::adam_decay || n.to == &OptimizerCall::rms_rate;
  }

  void integer(const char* name, int64_t& to, int64_t low, int64_t high = int64_t{1} << 62) {
    if (const json::Value* v = known(name)) to = v->integer(low, high);
  }

  void indexes(const char* name, std::vector<char>& to) {
    const json::Value* v = known(name);
    to.assign(params_, 0);
    if (!v) return;
    int64_t before = -1;
    for (const json::Value& entry : v->array()) {
      const int64_t i = entry.integer();
      if (i <= before || i >= static_cast<int64_t>(params_))
        bad(std::string("attrs.") + name,
            "index " + std::to_string(i) + ", expected rising indexes of params below " + std::to_string(params_));
      to[static_cast<size_t>(i)] = 1;
      before = i;
    }
  }

  const json::Value& attrs_;
  size_t params_;
  OptimizerCall call_;
  std::vector<std::string> names_;
};

}  // namespace

OptimizerCall parse_optimizer(const json::Value& value, size_t params) {
  value.allow_only({"op", "attrs"});
  const std::string& op = value["op"].string();
  std::string names;
  for (const Layout& layout : layouts()) {
    if (op == layout.name) return Reader(value["attrs"], params).read(layout);
    names += (names.empty() ? "" : ", ") + std::string(layout.name);
  }
  bad("op", "unknown name \"" + op + "\", expected one of " + names);
}

}  // namespace netlet
