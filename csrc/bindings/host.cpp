// The host in Python: the executor's calls, with memory handed over as arrays that are views of it.
//
// The executor runs without the GIL; each call here takes it for its own time. A Python exception passes through the
// executor as a C++ one and comes out as itself.
#include "program/host.h"

#include <set>

#include "bindings/bindings.h"

namespace netlet {
namespace {

class PythonHost final : public Host {
 public:
  PythonHost(py::object object, bool float32)
      : object_(std::move(object)),
        dtype_(float32 ? py::dtype::of<float>() : py::dtype::of<double>()),
        ops_(object_.attr("ops").cast<std::set<int>>()),
        losses_(object_.attr("has_loss").cast<bool>()),
        hosted_metrics_(object_.attr("metrics").cast<std::set<int>>()),
        sizes_(object_.attr("input_sizes").cast<std::vector<std::vector<int64_t>>>()),
        outputs_(object_.attr("output_sizes").cast<std::vector<int64_t>>()),
        prediction_(object_.attr("prediction_size").cast<int64_t>()),
        metrics_(object_.attr("metric_sizes").cast<std::vector<int64_t>>()),
        params_(object_.attr("param_size").cast<int64_t>()),
        label_size_(object_.attr("label_size").cast<int64_t>()),
        integer_labels_(object_.attr("integer_labels").cast<bool>()),
        penalizes_(object_.attr("penalizes").cast<bool>()),
        constrains_(object_.attr("constrains").cast<bool>()),
        updates_(object_.attr("updates").cast<bool>()) {}

  ~PythonHost() override {
    const py::gil_scoped_acquire gil;
    object_ = py::object();
    dtype_ = py::dtype();
  }

  bool runs_op(int op) const override { return ops_.count(op) != 0; }
  bool runs_loss() const override { return losses_; }
  bool runs_metric(int metric) const override { return hosted_metrics_.count(metric) != 0; }

  void forward(int op, const Context& context, int64_t rows, const void* const* x, void* y) override {
    const py::gil_scoped_acquire gil;
    object_.attr("forward")(op, context.training, context.iteration, inputs(op, rows, x),
                            matrix(y, rows, outputs_[at(op)]));
  }

  void backward(int op, const Context& context, int64_t rows, const void* const* x, const void* y, void* dy,
                void* const* dx, void* dparams, bool accumulate) override {
    const py::gil_scoped_acquire gil;
    py::list gradients;
    for (size_t i = 0; i < sizes_[at(op)].size(); ++i)
      gradients.append(dx[i] ? matrix(dx[i], rows, sizes_[at(op)][i]) : py::object(py::none()));
    const int64_t width = outputs_[at(op)];
    object_.attr("backward")(op, context.training, context.iteration, inputs(op, rows, x), matrix(y, rows, width),
                             matrix(dy, rows, width), gradients,
                             dparams ? view(dparams, dtype_, {params_}) : py::object(py::none()), accumulate);
  }

  void loss(int64_t rows, const void* prediction, const void* target, const void* weight, void* gradient,
            double* row_loss) override {
    const py::gil_scoped_acquire gil;
    object_.attr("loss")(matrix(prediction, rows, prediction_), labels(target, rows),
                         weight ? view(weight, dtype_, {rows}) : py::object(py::none()),
                         gradient ? matrix(gradient, rows, prediction_) : py::object(py::none()),
                         view(row_loss, py::dtype::of<double>(), {rows}));
  }

  void metric(int metric, int64_t rows, const void* prediction, const void* target, const void* weight) override {
    const py::gil_scoped_acquire gil;
    object_.attr("metric")(metric, matrix(prediction, rows, metrics_[at(metric)]), labels(target, rows),
                           weight ? view(weight, dtype_, {rows}) : py::object(py::none()));
  }

  bool penalizes() const override { return penalizes_; }
  bool constrains() const override { return constrains_; }

  double penalize(void* gradient) override {
    const py::gil_scoped_acquire gil;
    return object_.attr("penalize")(gradient ? view(gradient, dtype_, {params_}) : py::object(py::none()))
        .cast<double>();
  }

  void constrain() override {
    const py::gil_scoped_acquire gil;
    object_.attr("constrain")();
  }

  bool updates() const override { return updates_; }
  void update(void* gradient, double rate, int64_t iteration) override {
    const py::gil_scoped_acquire gil;
    object_.attr("update")(view(gradient, dtype_, {params_}), rate, iteration);
  }

  int64_t label_size() const override { return label_size_; }
  bool integer_labels() const override { return integer_labels_; }

 private:
  static size_t at(int i) { return static_cast<size_t>(i); }

  // An array over memory that is not its own: any base keeps NumPy from copying.
  py::object view(const void* data, const py::dtype& dtype, std::vector<int64_t> shape) const {
    return py::array(dtype, std::move(shape), data, object_);
  }
  py::object matrix(const void* data, int64_t rows, int64_t width) const { return view(data, dtype_, {rows, width}); }
  py::object labels(const void* target, int64_t rows) const {
    return view(target, integer_labels_ ? py::dtype::of<int32_t>() : dtype_, {rows, label_size_});
  }
  py::list inputs(int op, int64_t rows, const void* const* x) const {
    py::list list;
    for (size_t i = 0; i < sizes_[at(op)].size(); ++i) list.append(matrix(x[i], rows, sizes_[at(op)][i]));
    return list;
  }

  py::object object_;
  py::dtype dtype_;
  std::set<int> ops_;  // places of what is hosted
  bool losses_;
  std::set<int> hosted_metrics_;
  std::vector<std::vector<int64_t>> sizes_;  // [ops][inputs]: elements a row
  std::vector<int64_t> outputs_;             // [ops]
  int64_t prediction_;                       // the loss's
  std::vector<int64_t> metrics_;             // [metrics]: their predictions'
  int64_t params_;
  int64_t label_size_;
  bool integer_labels_;
  bool penalizes_, constrains_, updates_;
};

}  // namespace

std::shared_ptr<Host> python_host(py::object object, bool float32) {
  return std::make_shared<PythonHost>(std::move(object), float32);
}

}  // namespace netlet
