// Reads ops that have settings or several inputs of their own: their attributes and defaults, and what shapes they
// take.
#include "program/parse_ops.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/error.h"

namespace netlet {
namespace {

size_t at(int i) { return static_cast<size_t>(i); }

class OpReader {
 public:
  OpReader(const json::Value& attrs, const std::string& where, Program& program, OpCall& call)
      : attrs_(attrs), where_(where), p_(program), call_(call), y_(program.values[at(call.output)]) {}

  void read(const std::string& name) {
    const bool norm = call_.kind == OpKind::batch_normalization || call_.kind == OpKind::layer_normalization;
    if (norm) call_.norm.scale = flag("scale", true), call_.norm.center = flag("center", true);
    const bool one = call_.kind == OpKind::embedding || call_.kind == OpKind::prelu;
    const size_t params = one ? 1 : norm ? at(call_.norm.scale + call_.norm.center) : 0;
    if (call_.params.size() != params)
      bad("expected " + std::to_string(params) + " params, got " + std::to_string(call_.params.size()));
    const size_t state = call_.kind == OpKind::batch_normalization || call_.kind == OpKind::standardize ? 2 : 0;
    if (call_.state.size() != state)
      bad("expected " + std::to_string(state) + " entries of the state, got " + std::to_string(call_.state.size()));
    inputs(name);
    switch (call_.kind) {
      case OpKind::embedding:
        return embedding();
      case OpKind::dropout:
        return dropout();
      case OpKind::batch_normalization:
        return batch_normalization();
      case OpKind::layer_normalization:
        return layer_normalization();
      case OpKind::merge:
        return merge();
      case OpKind::prelu:
        return prelu();
      case OpKind::repeat_vector:
        return repeat_vector();
      case OpKind::permute:
        return permute();
      case OpKind::rescale:
        return rescale();
      case OpKind::standardize:
        return standardize();
      default:
        return concatenate();
    }
  }

 private:
  [[noreturn]] void bad(const std::string& what) const { fail(Kind::format, "program: " + where_ + ": " + what); }

  const Shape& input(size_t i) const { return p_.values[at(call_.inputs[i])].shape; }

  void want_output(const Shape& expected) const {
    if (!(y_.shape == expected))
      bad("output \"" + y_.name + "\" has shape " + y_.shape.str() + ", expected " + expected.str());
  }

  void want_shape(const Param& entry, const Shape& expected) const {
    if (!(entry.shape == expected))
      bad("\"" + entry.name + "\" has shape " + entry.shape.str() + ", expected " + expected.str());
  }

  bool flag(const char* name, bool otherwise) const {
    const json::Value* v = attrs_.find(name);
    return v ? v->boolean() : otherwise;
  }

  double number(const char* name, double otherwise, double low, double high) const {
    const json::Value* v = attrs_.find(name);
    if (!v) return otherwise;
    const double n = v->number();
    if (n < low || n > high) v->fail("expected a number from " + std::to_string(low) + " to " + std::to_string(high));
    return n;
  }

  int64_t whole(const char* name, int64_t otherwise, int64_t low, int64_t high) const {
    const json::Value* v = attrs_.find(name);
    return v ? v->integer(low, high) : otherwise;
  }

  void inputs(const std::string& name) const {
    const size_t got = call_.inputs.size();
    size_t least = 1, most = 1;
    if (call_.kind == OpKind::concatenate) most = kMostInputs;
    if (call_.kind == OpKind::merge) least = 2, most = call_.merge == Merge::subtract ? 2 : kMostInputs;
    if (got < least || got > most)
      bad(name + ": expected " + std::to_string(least) + (most > least ? " to " + std::to_string(most) : "") +
          " inputs, got " + std::to_string(got));
  }

  void embedding() const {
    attrs_.allow_only({});
    const Shape& table = p_.params[at(call_.params[0])].shape;
    if (table.rank() != 2) bad("table has shape " + table.str() + ", expected (rows, width)");
    std::vector<int64_t> dims = input(0).dims();
    dims.push_back(table[1]);
    want_output(Shape(std::move(dims)));
  }

  void dropout() {
    attrs_.allow_only({"rate", "seed", "noise_shape"});
    if (const json::Value* noise = attrs_.find("noise_shape"))
      if (!noise->array().empty()) noise->fail("expected none: elements that share their fate are a host's to run");
    call_.rate = number("rate", 0.5, 0, 1);
    call_.seed = static_cast<uint64_t>(whole("seed", 0, 0, std::numeric_limits<int64_t>::max()));
    want_output(input(0));
  }

  void batch_normalization() {
    attrs_.allow_only({"momentum", "epsilon", "scale", "center", "frozen"});
    Norm& n = call_.norm;
    n.momentum = number("momentum", n.momentum, 0, 1);
    n.epsilon = number("epsilon", n.epsilon, 0, 1e30);
    n.frozen = flag("frozen", false);
    if (input(0).empty()) bad("input has no last axis");
    n.width = input(0).back();
    for (int param : call_.params) want_shape(p_.params[at(param)], Shape{n.width});
    for (int entry : call_.state) want_shape(p_.state[at(entry)], Shape{n.width});
    want_output(input(0));
    p_.couples = p_.couples || !n.frozen;
  }

  void layer_normalization() {
    attrs_.allow_only({"epsilon", "scale", "center", "rms", "axes"});
    Norm& n = call_.norm;
    n.epsilon = number("epsilon", n.epsilon, 0, 1e30);
    n.rms = flag("rms", false);
    const int64_t axes = whole("axes", 1, 1, 16);
    const std::vector<int64_t>& dims = input(0).dims();
    if (input(0).rank() < axes)
      bad("input has shape " + input(0).str() + ", expected " + std::to_string(axes) + " axes");
    const Shape inner(std::vector<int64_t>(dims.end() - axes, dims.end()));
    n.width = inner.elements();
    for (int param : call_.params) want_shape(p_.params[at(param)], inner);
    want_output(input(0));
  }

  // Axes of all inputs are equal or 1.
  void merge() const {
    attrs_.allow_only({});
    std::vector<int64_t> dims = input(0).dims();
    for (size_t i = 1; i < call_.inputs.size(); ++i) {
      const Shape& x = input(i);
      bool fits = x.rank() == input(0).rank();
      for (size_t axis = 0; fits && axis < dims.size(); ++axis) {
        const int64_t n = x.dims()[axis];
        fits = n == dims[axis] || n == 1 || dims[axis] == 1;
        dims[axis] = std::max(dims[axis], n);
      }
      if (!fits) bad("input of shape " + x.str() + " does not go with " + input(0).str());
    }
    want_output(Shape(std::move(dims)));
  }

  // axis counts the batch as 0, or from the end.
  void concatenate() {
    attrs_.allow_only({"axis"});
    const int64_t axis = whole("axis", -1, -16, 16), rank = input(0).rank();
    call_.axis = axis > 0 ? axis - 1 : rank + axis;
    if (axis == 0 || call_.axis < 0 || call_.axis >= rank)
      bad("axis " + std::to_string(axis) + " is none of a row of " + std::to_string(rank) + " axes");
    std::vector<int64_t> dims = input(0).dims();
    int64_t& joined = dims[static_cast<size_t>(call_.axis)];
    for (size_t i = 1; i < call_.inputs.size(); ++i) {
      std::vector<int64_t> other = input(i).dims();
      const int64_t more = input(i).rank() == rank ? other[static_cast<size_t>(call_.axis)] : 0;
      if (more) other[static_cast<size_t>(call_.axis)] = joined;
      if (other != dims)
        bad("inputs of shapes " + input(0).str() + " and " + input(i).str() + " differ elsewhere, too");
      joined = checked_add(joined, more);
    }
    want_output(Shape(std::move(dims)));
  }

  void prelu() const {
    attrs_.allow_only({});
    const Param& alpha = p_.params[at(call_.params[0])];
    bool fits = alpha.shape.rank() == input(0).rank();
    for (int64_t axis = 0; fits && axis < input(0).rank(); ++axis)
      fits = alpha.shape[axis] == 1 || alpha.shape[axis] == input(0)[axis];
    if (!fits) bad("alpha has shape " + alpha.shape.str() + ", expected " + input(0).str() + " or 1s in it");
    want_output(input(0));
  }

  void repeat_vector() const {
    attrs_.allow_only({"n"});
    if (input(0).rank() != 1) bad("input has shape " + input(0).str() + ", expected a vector");
    want_output(Shape{whole("n", 1, 1, int64_t{1} << 31), input(0)[0]});
  }

  void permute() {
    attrs_.allow_only({"axes"});
    std::vector<int64_t> dims;
    std::vector<char> taken(static_cast<size_t>(input(0).rank()), 0);
    for (const json::Value& v : attrs_["axes"].array()) {
      const int64_t axis = v.integer(1, input(0).rank());
      if (taken[static_cast<size_t>(axis - 1)]++) v.fail("axis " + std::to_string(axis) + " comes twice");
      call_.axes.push_back(axis);
      dims.push_back(input(0)[axis - 1]);
    }
    if (call_.axes.size() != taken.size()) bad("axes: expected all " + std::to_string(taken.size()) + " of them");
    want_output(Shape(std::move(dims)));
  }

  // One number, or a list of one or of as many as the input has last.
  std::vector<double> numbers(const char* name, double otherwise) const {
    const json::Value* v = attrs_.find(name);
    if (!v) return {otherwise};
    if (!v->is(json::Type::array)) return {v->number()};
    std::vector<double> all;
    for (const json::Value& each : v->array()) all.push_back(each.number());
    const bool fits = all.size() == 1 || (!input(0).empty() && static_cast<int64_t>(all.size()) == input(0).back());
    if (!fits) v->fail("expected one number, or as many as the input has last");
    return all;
  }

  void rescale() {
    attrs_.allow_only({"scale", "offset"});
    call_.scales = numbers("scale", 1);
    call_.offsets = numbers("offset", 0);
    want_output(input(0));
  }

  void standardize() const {
    attrs_.allow_only({"axes"});
    const int64_t axes = whole("axes", 1, 0, 16);
    const std::vector<int64_t>& dims = input(0).dims();
    if (input(0).rank() < axes)
      bad("input has shape " + input(0).str() + ", expected " + std::to_string(axes) + " axes");
    const Shape inner = axes ? Shape(std::vector<int64_t>(dims.end() - axes, dims.end())) : Shape{1};
    for (int entry : call_.state) want_shape(p_.state[at(entry)], inner);
    want_output(input(0));
  }

  const json::Value& attrs_;
  const std::string& where_;
  Program& p_;
  OpCall& call_;
  const Value& y_;
};

constexpr std::pair<const char*, OpKind> kKinds[] = {{"embedding", OpKind::embedding},
                                                     {"dropout", OpKind::dropout},
                                                     {"batch_normalization", OpKind::batch_normalization},
                                                     {"layer_normalization", OpKind::layer_normalization},
                                                     {"concatenate", OpKind::concatenate},
                                                     {"prelu", OpKind::prelu},
                                                     {"repeat_vector", OpKind::repeat_vector},
                                                     {"permute", OpKind::permute},
                                                     {"rescale", OpKind::rescale},
                                                     {"standardize", OpKind::standardize}};
constexpr std::pair<const char*, Merge> kMerges[] = {{"add", Merge::add},           {"subtract", Merge::subtract},
                                                     {"multiply", Merge::multiply}, {"average", Merge::average},
                                                     {"maximum", Merge::maximum},   {"minimum", Merge::minimum}};

}  // namespace

OpKind kind_of_op(std::string_view name, Merge& merge) {
  for (const auto& [known, kind] : kKinds)
    if (name == known) return kind;
  for (const auto& [known, rule] : kMerges)
    if (name == known) {
      merge = rule;
      return OpKind::merge;
    }
  return OpKind::hosted;
}

std::string names_of_ops() {
  std::string list;
  for (const auto& entry : kKinds) list += (list.empty() ? "" : ", ") + std::string(entry.first);
  for (const auto& entry : kMerges) list += ", " + std::string(entry.first);
  return list;
}

void parse_op(const json::Value& attrs, const std::string& name, const std::string& where, Program& program,
              OpCall& call) {
  OpReader(attrs, where, program, call).read(name);
}

}  // namespace netlet
