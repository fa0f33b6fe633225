// The parser and validator of Programs: JSON text in, a Program that can be trusted out, or a Kind::format error that
// names the place, what was expected and what came.
#include <algorithm>
#include <array>
#include <limits>
#include <set>

#include "core/error.h"
#include "core/json.h"
#include "program/parse_ops.h"
#include "program/parse_optimizer.h"
#include "program/program.h"

namespace netlet {
namespace {

constexpr int64_t kMost = int64_t{1} << 40;  // elements of any value or arena: far above memory, far below overflow

[[noreturn]] void bad(const std::string& where, const std::string& what) {
  fail(Kind::format, "program: " + where + ": " + what);
}

template <class E, size_t N>
E pick(const std::array<std::pair<const char*, E>, N>& names, std::string_view name, const std::string& where,
       std::string (*more)() = nullptr) {
  for (const auto& [known, value] : names)
    if (name == known) return value;
  std::string list;
  for (const auto& entry : names) list += (list.empty() ? "" : ", ") + std::string(entry.first);
  if (more) list += ", " + more();
  bad(where, "unknown name \"" + std::string(name) + "\", expected one of " + list);
}

constexpr std::array<std::pair<const char*, Act>, 25> kActs{{
    {"linear", Act::linear},
    {"relu", Act::relu},
    {"leaky_relu", Act::leaky_relu},
    {"elu", Act::elu},
    {"selu", Act::selu},
    {"sigmoid", Act::sigmoid},
    {"tanh", Act::tanh},
    {"exponential", Act::exponential},
    {"hard_sigmoid", Act::hard_sigmoid},
    {"relu6", Act::relu6},
    {"celu", Act::celu},
    {"squareplus", Act::squareplus},
    {"soft_shrink", Act::soft_shrink},
    {"hard_shrink", Act::hard_shrink},
    {"sparse_plus", Act::sparse_plus},
    {"hard_tanh", Act::hard_tanh},
    {"sparse_sigmoid", Act::sparse_sigmoid},
    {"log_sigmoid", Act::log_sigmoid},
    {"softplus", Act::softplus},
    {"softsign", Act::softsign},
    {"gelu", Act::gelu},
    {"silu", Act::silu},
    {"hard_silu", Act::hard_silu},
    {"tanh_shrink", Act::tanh_shrink},
    {"mish", Act::mish},
}};

// What alpha is where it is left out.
constexpr double default_alpha(Act act) {
  switch (act) {
    case Act::leaky_relu:
      return 0.2;
    case Act::elu:
    case Act::celu:
      return 1;
    case Act::squareplus:
      return 4;
    case Act::soft_shrink:
    case Act::hard_shrink:
      return 0.5;
    default:
      return 0;
  }
}

constexpr std::array<std::pair<const char*, OpKind>, 5> kOps{{
    {"dense", OpKind::dense},
    {"activation", OpKind::activation},
    {"softmax", OpKind::softmax},
    {"log_softmax", OpKind::log_softmax},
    {"reshape", OpKind::reshape},
}};
constexpr std::array<std::pair<const char*, LossKind>, 11> kLosses{{
    {"mean_squared_error", LossKind::mean_squared_error},
    {"mean_absolute_error", LossKind::mean_absolute_error},
    {"binary_crossentropy", LossKind::binary_crossentropy},
    {"categorical_crossentropy", LossKind::categorical_crossentropy},
    {"sparse_categorical_crossentropy", LossKind::sparse_categorical_crossentropy},
    {"huber", LossKind::huber},
    {"log_cosh", LossKind::log_cosh},
    {"poisson", LossKind::poisson},
    {"mean_absolute_percentage_error", LossKind::mean_absolute_percentage_error},
    {"mean_squared_logarithmic_error", LossKind::mean_squared_logarithmic_error},
    {"kl_divergence", LossKind::kl_divergence},
}};
constexpr std::array<std::pair<const char*, MetricKind>, 6> kMetrics{{
    {"mean_squared_error", MetricKind::mean_squared_error},
    {"mean_absolute_error", MetricKind::mean_absolute_error},
    {"binary_accuracy", MetricKind::binary_accuracy},
    {"categorical_accuracy", MetricKind::categorical_accuracy},
    {"sparse_categorical_accuracy", MetricKind::sparse_categorical_accuracy},
    {"confusion", MetricKind::confusion},
}};

class Parser {
 public:
  Parser(const json::Value& root, const Host* host) : root_(root), host_(host) {}

  Program parse() {
    root_.allow_only({"format", "version", "dtype", "values", "params", "state", "inputs", "outputs", "ops", "loss",
                      "optimizer", "metrics"});
    if (root_["format"].string() != "netlet-program") bad("format", "expected \"netlet-program\"");
    if (root_["version"].integer() != 1)
      bad("version", "expected 1, got " + std::to_string(root_["version"].integer()));
    p_.dtype =
        pick(std::array<std::pair<const char*, DType>, 2>{{{"float32", DType::float32}, {"float64", DType::float64}}},
             root_["dtype"].string(), "dtype");
    values();
    p_.param_size = tensors("params", p_.params);
    p_.state_size = tensors("state", p_.state);
    defined_.assign(p_.values.size(), 0);
    for (const json::Value& v : root_["inputs"].array()) {
      const int id = index(v, p_.values.size(), "inputs");
      if (defined_[at(id)]) bad("inputs", "value " + std::to_string(id) + " appears twice");
      defined_[at(id)] = 1;
      p_.inputs.push_back(id);
    }
    if (p_.inputs.empty() || p_.inputs.size() > 64) bad("inputs", "expected 1 to 64 values");
    for (const json::Value& v : root_["ops"].array()) op(v);
    for (size_t v = 0; v < defined_.size(); ++v)
      if (!defined_[v]) bad("values", "value " + std::to_string(v) + " is neither an input nor any op's output");
    for (const json::Value& v : root_["outputs"].array()) p_.outputs.push_back(index(v, p_.values.size(), "outputs"));
    if (p_.outputs.empty() || p_.outputs.size() > 64) bad("outputs", "expected 1 to 64 values");
    if (!root_["loss"].is_null()) loss(root_["loss"]);
    if (!root_["optimizer"].is_null()) {
      p_.optimizer = parse_optimizer(root_["optimizer"], p_.params.size());
      if (p_.optimizer.kind == OptimizerKind::custom && !(host_ && host_->updates()))
        bad("optimizer", "custom, and there is no host to run it");
      p_.has_optimizer = true;
    }
    for (const json::Value& v : root_["metrics"].array()) metric(v);
    return std::move(p_);
  }

 private:
  static size_t at(int i) { return static_cast<size_t>(i); }

  static int index(const json::Value& v, size_t count, const std::string& where) {
    const int64_t i = v.integer();
    if (i < 0 || i >= static_cast<int64_t>(count))
      bad(where, "index " + std::to_string(i) + " is outside [0, " + std::to_string(count) + ")");
    return static_cast<int>(i);
  }

  static Shape shape(const json::Value& v, const std::string& where, int64_t& size) {
    std::vector<int64_t> dims;
    size = 1;
    for (const json::Value& d : v.array()) {
      dims.push_back(d.integer());
      if (dims.back() < 1 || dims.back() > kMost)
        bad(where, "dimension " + std::to_string(dims.back()) + ", expected 1 or more");
      size = checked_mul(size, dims.back());
      if (size > kMost) bad(where, "too many elements");
    }
    if (dims.size() > 16) bad(where, "more than 16 dimensions");
    return Shape(std::move(dims));
  }

  void values() {
    int64_t i = 0;
    for (const json::Value& v : root_["values"].array()) {
      const std::string where = "values[" + std::to_string(i++) + "]";
      v.allow_only({"name", "shape"});
      Value value;
      value.name = v["name"].string();
      value.shape = shape(v["shape"], where, value.size);
      p_.values.push_back(std::move(value));
    }
  }

  // Tightly packed, in order: offsets are redundant, and checked.
  int64_t tensors(const char* field, std::vector<Param>& to) {
    int64_t used = 0, i = 0;
    for (const json::Value& v : root_[field].array()) {
      const std::string where = std::string(field) + "[" + std::to_string(i++) + "]";
      v.allow_only({"name", "shape", "offset"});
      Param param;
      param.name = v["name"].string();
      param.shape = shape(v["shape"], where, param.size);
      param.offset = v["offset"].integer();
      if (param.offset != used)
        bad(where, "offset " + std::to_string(param.offset) + ", expected " + std::to_string(used));
      used = checked_add(used, param.size);
      if (used > kMost) bad(where, "too many elements");
      to.push_back(std::move(param));
    }
    return used;
  }

  static Activation activation(const json::Value& attrs, const std::string& where, const char* otherwise) {
    const json::Value* name = attrs.find("activation");
    if (!name && !otherwise) bad(where, "attrs lack \"activation\"");
    Activation a;
    a.act = pick(kActs, name ? std::string_view(name->string()) : std::string_view(otherwise), where + ".activation");
    a.alpha = default_alpha(a.act);
    if (const json::Value* alpha = attrs.find("alpha")) a.alpha = alpha->number();
    if (const json::Value* approximate = attrs.find("approximate"))
      if (approximate->boolean() && a.act == Act::gelu) a.act = Act::gelu_tanh;
    return a;
  }

  static bool is_piecewise(const json::Value& attrs) {
    const json::Value* name = attrs.find("activation");
    return name && name->is(json::Type::string) && (name->string() == "relu_general" || name->string() == "threshold");
  }

  // relu_general: alpha (x - threshold) up to the threshold, then x, cut off to [0, max_value] where there is one.
  // threshold: value up to the threshold, then x.
  static Piecewise<double> piecewise(const json::Value& attrs) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    Piecewise<double> f{0, 0, 0, -infinity, infinity};
    if (const json::Value* threshold = attrs.find("threshold")) f.threshold = threshold->number();
    if (attrs["activation"].string() == "threshold") {
      attrs.allow_only({"activation", "threshold", "value"});
      if (const json::Value* value = attrs.find("value")) f.value = value->number();
      return f;
    }
    attrs.allow_only({"activation", "alpha", "threshold", "max_value"});
    if (const json::Value* alpha = attrs.find("alpha")) f.scale = alpha->number();
    if (const json::Value* most = attrs.find("max_value"); most && !most->is_null()) {
      f.low = 0;
      f.high = most->number();
      if (f.high < 0) most->fail("expected a number >= 0");
    }
    return f;
  }

  void op(const json::Value& v) {
    const std::string where = "ops[" + std::to_string(p_.ops.size()) + "]";
    v.allow_only({"op", "inputs", "output", "params", "state", "attrs"});
    OpCall call;
    const bool hosted = host_ && host_->runs_op(static_cast<int>(p_.ops.size()));
    call.kind = hosted ? OpKind::hosted : kind_of_op(v["op"].string(), call.merge);
    const bool own = call.kind != OpKind::hosted;  // parse_op knows it
    if (!hosted && !own) call.kind = pick(kOps, v["op"].string(), where + ".op", names_of_ops);
    for (const json::Value& input : v["inputs"].array()) {
      call.inputs.push_back(index(input, p_.values.size(), where + ".inputs"));
      if (!defined_[at(call.inputs.back())])
        bad(where, "input " + std::to_string(call.inputs.back()) + " is used before it is defined");
    }
    if (hosted && (call.inputs.empty() || call.inputs.size() > kMostInputs))
      bad(where, "expected 1 to " + std::to_string(kMostInputs) + " inputs, got " + std::to_string(call.inputs.size()));
    if (!hosted && !own && call.inputs.size() != 1)
      bad(where, "expected 1 input, got " + std::to_string(call.inputs.size()));
    call.output = index(v["output"], p_.values.size(), where + ".output");
    if (defined_[at(call.output)]) bad(where, "output " + std::to_string(call.output) + " is defined twice");
    defined_[at(call.output)] = 1;
    for (const json::Value& param : v["params"].array())
      call.params.push_back(index(param, p_.params.size(), where + ".params"));
    for (const json::Value& state : v["state"].array())
      call.state.push_back(index(state, p_.state.size(), where + ".state"));
    if (!hosted && !own && !call.state.empty()) bad(where, "expected no state");
    const json::Value& attrs = v["attrs"];
    if (own) {
      parse_op(attrs, v["op"].string(), where, p_, call);
      p_.ops.push_back(std::move(call));
      return;
    }
    const Value &x = p_.values[at(call.inputs[0])], &y = p_.values[at(call.output)];
    switch (call.kind) {
      case OpKind::dense:
        attrs.allow_only({"activation", "alpha"});
        call.activation = activation(attrs, where, "linear");
        if (!gradient_from_output(call.activation.act)) bad(where, "this activation can't be a dense op's epilogue");
        dense(call, x, y, where);
        break;
      case OpKind::activation:
      case OpKind::piecewise:
        if (is_piecewise(attrs)) {
          call.kind = OpKind::piecewise;
          call.piecewise = piecewise(attrs);
        } else {
          attrs.allow_only({"activation", "alpha", "approximate"});
          call.activation = activation(attrs, where, nullptr);
        }
        if (!call.params.empty()) bad(where, "expected no params");
        if (!(x.shape == y.shape)) mismatch(where, y, x.shape);
        break;
      case OpKind::softmax:
      case OpKind::log_softmax:
        attrs.allow_only({});
        if (!call.params.empty()) bad(where, "expected no params");
        if (!(x.shape == y.shape)) mismatch(where, y, x.shape);
        if (x.shape.empty()) bad(where, "input has no last axis");
        break;
      case OpKind::reshape:
        attrs.allow_only({});
        if (!call.params.empty()) bad(where, "expected no params");
        if (x.size != y.size) mismatch(where, y, x.shape);
        break;
      case OpKind::hosted:
        p_.hosted = true;
        break;
      default:
        break;
    }
    p_.ops.push_back(std::move(call));
  }

  [[noreturn]] static void mismatch(const std::string& where, const Value& y, const Shape& expected) {
    bad(where, "output \"" + y.name + "\" has shape " + y.shape.str() + ", expected " + expected.str());
  }

  void dense(const OpCall& call, const Value& x, const Value& y, const std::string& where) {
    if (call.params.empty() || call.params.size() > 2) bad(where, "expected params [kernel] or [kernel, bias]");
    if (call.params.size() == 2 && call.params[0] == call.params[1]) bad(where, "kernel and bias are one param");
    const Shape& kernel = p_.params[at(call.params[0])].shape;
    if (kernel.rank() != 2) bad(where, "kernel has shape " + kernel.str() + ", expected (inputs, outputs)");
    if (x.shape.empty() || x.shape.back() != kernel[0])
      bad(where, "input has shape " + x.shape.str() + ", expected (..., " + std::to_string(kernel[0]) + ")");
    std::vector<int64_t> dims;
    dims.assign(x.shape.begin(), x.shape.end());
    dims.back() = kernel[1];
    const Shape expected(std::move(dims));
    if (!(y.shape == expected)) mismatch(where, y, expected);
    if (call.params.size() == 2) {
      const Shape& bias = p_.params[at(call.params[1])].shape;
      if (bias.rank() != 1 || bias[0] != kernel[1])
        bad(where, "bias has shape " + bias.str() + ", expected (" + std::to_string(kernel[1]) + ",)");
    }
  }

  void classes(int value, const std::string& where, int64_t& positions, int64_t& width) const {
    const Value& v = p_.values[at(value)];
    if (v.shape.empty()) bad(where, "input has no last axis");
    width = v.shape.back();
    positions = v.size / width;
  }

  void loss(const json::Value& v) {
    v.allow_only({"op", "input", "output", "attrs"});
    LossCall& loss = p_.loss;
    loss.hosted = host_ && host_->runs_loss();
    if (!loss.hosted) loss.kind = pick(kLosses, v["op"].string(), "loss.op");
    loss.input = index(v["input"], p_.values.size(), "loss.input");
    classes(loss.input, "loss", loss.positions, loss.classes);
    if (loss.hosted) {  // probabilities made from its logits stay their op's to write
      loss.label_size = host_->label_size();
      loss.label_int = host_->integer_labels();
      p_.has_loss = p_.hosted = true;
      return;
    }
    const json::Value& attrs = v["attrs"];
    attrs.allow_only({"from_logits", "delta"});
    if (const json::Value* delta = attrs.find("delta")) {
      if (loss.kind != LossKind::huber) bad("loss.attrs", "delta does not apply to this loss");
      loss.delta = delta->number();
      if (loss.delta < 0) delta->fail("expected a number >= 0");
    }
    const json::Value* logits = attrs.find("from_logits");
    if (logits && logits->boolean()) {
      const bool alone = loss.kind == LossKind::mean_squared_error || loss.kind == LossKind::mean_absolute_error;
      if (alone || static_cast<int>(loss.kind) >= static_cast<int>(LossKind::huber))
        bad("loss.attrs", "from_logits does not apply to this loss");
      loss.kind = static_cast<LossKind>(static_cast<int>(loss.kind) + 1);
    }
    if (!v["output"].is_null()) {
      loss.output = index(v["output"], p_.values.size(), "loss.output");
      const bool binary = loss.kind == LossKind::binary_crossentropy_logits;
      const bool fits = std::any_of(p_.ops.begin(), p_.ops.end(), [&](const OpCall& op) {
        return op.output == loss.output && op.inputs[0] == loss.input &&
               (binary ? op.kind == OpKind::activation && op.activation.act == Act::sigmoid
                       : op.kind == OpKind::softmax);
      });
      if (!logits || !logits->boolean() || !fits)
        bad("loss.output", "expected the probabilities made from the loss's own logits");
    }
    p_.has_loss = true;
  }

  void metric(const json::Value& v) {
    const std::string where = "metrics[" + std::to_string(p_.metrics.size()) + "]";
    v.allow_only({"op", "input", "attrs"});
    if (!p_.has_loss) bad(where, "metrics read the loss's target, and there is no loss");
    MetricCall m;
    const bool hosted = host_ && host_->runs_metric(static_cast<int>(p_.metrics.size()));
    m.kind = hosted ? MetricKind::hosted : pick(kMetrics, v["op"].string(), where + ".op");
    m.input = index(v["input"], p_.values.size(), where + ".input");
    classes(m.input, where, m.positions, m.classes);
    if (!(p_.values[at(m.input)].shape == p_.values[at(p_.loss.input)].shape))
      bad(where, "input has shape " + p_.values[at(m.input)].shape.str() + ", expected the loss's " +
                     p_.values[at(p_.loss.input)].shape.str());
    if (hosted) {  // it keeps its own sums
      m.offset = p_.sums_size;
      m.size = 0;
      p_.hosted = true;
      p_.metrics.push_back(m);
      return;
    }
    const json::Value& attrs = v["attrs"];
    const bool counts = m.kind == MetricKind::confusion;
    const bool labels =
        counts || m.kind == MetricKind::sparse_categorical_accuracy || m.kind == MetricKind::categorical_accuracy;
    if ((p_.loss.hosted ? p_.loss.label_int : sparse_labels(p_.loss.kind)) && !labels)
      bad(where, "this metric can't be computed from integer labels");
    if (counts)
      attrs.allow_only({"threshold", "per_class"});
    else if (m.kind == MetricKind::binary_accuracy)
      attrs.allow_only({"threshold"});
    else
      attrs.allow_only({});
    if (const json::Value* t = attrs.find("threshold")) {
      if (counts && t->is_null())
        m.argmax = true;
      else
        m.threshold = t->number();
    }
    if (const json::Value* c = attrs.find("per_class")) m.per_class = c->boolean();
    m.offset = p_.sums_size;
    m.size = counts ? 4 * (m.per_class ? m.classes : 1) : 2;
    p_.sums_size = checked_add(p_.sums_size, m.size);
    p_.metrics.push_back(m);
  }

  const json::Value& root_;
  const Host* host_;
  Program p_;
  std::vector<char> defined_;
};

}  // namespace

Program parse_program(std::string_view text, const Host* host) {
  const json::Value root = json::parse(text);
  return Parser(root, host).parse();
}

}  // namespace netlet
