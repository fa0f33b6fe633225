// Executors for float32 and float64: arrays are checked here, the GIL is let go, and the work is C++'s.
#include "program/executor.h"
#include "bindings/bindings.h"
#include "core/parallel.h"

namespace netlet {
namespace {

size_t at(int i) { return static_cast<size_t>(i); }

template <class T>
class PyExecutor {
 public:
  PyExecutor(const py::bytes& program, py::array params, py::array state, py::array slots,
             std::optional<std::string> isa, std::optional<int> threads, const py::object& host)
      : params_(std::move(params)), state_(std::move(state)), slots_(std::move(slots)) {
    const std::shared_ptr<Host> made = host.is_none() ? nullptr : python_host(host, sizeof(T) == 4);
    Program parsed = parse_program(std::string_view(program), made.get());
    if ((parsed.dtype == DType::float32) != (sizeof(T) == 4))
      fail(Kind::type, "program: its dtype is not this executor's");
    T* p = writable<T>(params_, parsed.param_size, "params");
    T* moving = writable<T>(state_, parsed.state_size, "state");
    T* s = writable<T>(slots_, parsed.optimizer.slots() * parsed.param_size, "slots");
    if (threads && *threads < 1) fail(Kind::value, "num_threads: expected 1 or more, got " + std::to_string(*threads));
    executor_ = std::make_unique<Executor<T>>(std::move(parsed), isa ? netlet::parse(*isa) : default_isa(), p, s,
                                              threads ? *threads : default_threads(), made, moving);
  }

  void predict(const std::vector<py::array>& xs, std::vector<py::array> outs, int64_t batch) {
    const Rows<T> rows = inputs(xs);
    const std::vector<T*> out = outputs(outs, rows.count, program().outputs, "outs");
    check_batch(batch);
    py::gil_scoped_release release;
    executor_->predict(rows, out.data(), batch, Interrupt(interrupted));
  }

  py::array frozen() {
    Array<T> copy(program().param_size);
    T* to = copy.mutable_data();
    py::gil_scoped_release release;
    executor_->copy_params(to);
    return copy;
  }

  py::capsule predictor() { return predictor_capsule<T>(*executor_); }

  void train(const std::vector<py::array>& xs, const py::array& y, std::optional<py::array> weight, int64_t batch,
             std::optional<std::pair<uint64_t, uint64_t>> shuffle, int64_t first, int64_t last, const py::object& rate,
             int64_t iteration, py::array sums) {
    need_loss("train");
    if (!program().has_optimizer) fail(Kind::value, "train: the program has no optimizer");
    const Rows<T> rows = labelled(xs, y, weight);
    double* s = writable<double>(sums, program().sums_size, "sums");
    check_batch(batch);
    const int64_t steps = (rows.count + batch - 1) / batch;
    if (first < 0 || first > last || last > steps)
      fail(Kind::value,
           "train: steps [" + std::to_string(first) + ", " + std::to_string(last) + ") of " + std::to_string(steps));
    const Pace pace = paced(rate, iteration, last - first);
    py::gil_scoped_release release;
    executor_->train(rows, batch, order_of(shuffle), first, last, pace, s, Interrupt(interrupted));
  }

  void train_epochs(const std::vector<py::array>& xs, const py::array& y, std::optional<py::array> weight,
                    int64_t batch, std::optional<std::pair<uint64_t, uint64_t>> shuffle, int64_t epochs,
                    const py::object& rate, int64_t iteration, py::array sums) {
    need_loss("train");
    if (!program().has_optimizer) fail(Kind::value, "train: the program has no optimizer");
    const Rows<T> rows = labelled(xs, y, weight);
    check_batch(batch);
    if (epochs < 0) fail(Kind::value, "epochs: expected 0 or more, got " + std::to_string(epochs));
    double* s = writable<double>(sums, checked_mul(epochs, program().sums_size), "sums");
    const Pace pace = paced(rate, iteration, checked_mul(epochs, (rows.count + batch - 1) / batch));
    py::gil_scoped_release release;
    executor_->train_epochs(rows, batch, order_of(shuffle), epochs, pace, s, Interrupt(interrupted));
  }

  void evaluate(const std::vector<py::array>& xs, const py::array& y, std::optional<py::array> weight, int64_t batch,
                py::array sums) {
    need_loss("evaluate");
    const Rows<T> rows = labelled(xs, y, weight);
    double* s = writable<double>(sums, program().sums_size, "sums");
    check_batch(batch);
    py::gil_scoped_release release;
    executor_->evaluate(rows, batch, s, Interrupt(interrupted));
  }

  py::tuple gradients(const std::vector<py::array>& xs, const py::array& y, std::optional<py::array> weight) {
    need_loss("gradients");
    const Rows<T> rows = labelled(xs, y, weight);
    Array<T> dparams(program().param_size);
    T* dp = dparams.mutable_data();
    py::list dxs;
    const std::vector<T*> dx = made(rows.count, program().inputs, dxs);
    double loss;
    {
      py::gil_scoped_release release;
      loss = executor_->gradients(rows, dp, dx.data());
    }
    return py::make_tuple(loss, dparams, dxs);
  }

  // outs: arrays like those that are returned, to be written and returned; or none, for new ones.
  using Outs = std::tuple<std::vector<py::array>, std::vector<py::array>, py::array>;
  py::tuple vjp(const std::vector<py::array>& xs, const std::vector<py::array>& dys, bool training, uint64_t iteration,
                std::optional<Outs> outs) {
    const Rows<T> rows = inputs(xs);
    if (dys.size() != program().outputs.size()) fail(Kind::value, "dys: expected one array for each output");
    std::vector<const T*> dy;
    for (size_t i = 0; i < dys.size(); ++i)
      dy.push_back(read_only<T>(dys[i], checked_mul(rows.count, size(program().outputs[i])), "dys"));
    py::list ys, dxs;
    py::array dparams;
    std::vector<T*> y, dx;
    if (outs) {
      auto& [given_ys, given_dxs, given_dparams] = *outs;
      y = outputs(given_ys, rows.count, program().outputs, "outs: ys");
      dx = outputs(given_dxs, rows.count, program().inputs, "outs: dxs");
      ys = py::cast(given_ys), dxs = py::cast(given_dxs), dparams = given_dparams;
    } else {
      y = made(rows.count, program().outputs, ys), dx = made(rows.count, program().inputs, dxs);
      dparams = Array<T>(program().param_size);
    }
    T* const dp = writable<T>(dparams, program().param_size, "outs: dparams");
    {
      py::gil_scoped_release release;
      executor_->vjp(rows, dy.data(), y.data(), dp, dx.data(), Context{training, iteration});
    }
    return py::make_tuple(ys, dxs, dparams);
  }

  void apply(const py::array& gradient, double rate, int64_t iteration) {
    if (!program().has_optimizer) fail(Kind::value, "apply: the program has no optimizer");
    const T* g = read_only<T>(gradient, program().param_size, "gradient");
    check_iteration(iteration);
    py::gil_scoped_release release;
    executor_->apply(g, rate, iteration);
  }

  py::dict profile(const std::vector<py::array>& xs, std::optional<py::array> y, std::optional<py::array> weight,
                   int64_t batch, double rate, double seconds) {
    if (y) need_loss("profile");
    if (y && !program().has_optimizer) fail(Kind::value, "profile: the program has no optimizer");
    const Rows<T> rows = y ? labelled(xs, *y, weight) : inputs(xs);
    check_batch(batch);
    Profile found;
    {
      py::gil_scoped_release release;
      found = executor_->profile(rows, batch, rate, seconds, Interrupt(interrupted));
    }
    return as_dict(found);
  }

 private:
  const Program& program() const { return executor_->program(); }
  int64_t size(int value) const { return program().values[at(value)].size; }

  void need_loss(const char* what) const {
    if (!program().has_loss) fail(Kind::value, std::string(what) + ": the program has no loss");
  }
  static void check_batch(int64_t batch) {
    if (batch < 1) fail(Kind::value, "batch_size: expected 1 or more, got " + std::to_string(batch));
  }

  static void check_iteration(int64_t iteration) {
    if (iteration < 0) fail(Kind::value, "iteration: expected 0 or more, got " + std::to_string(iteration));
  }

  static std::optional<Shuffle> order_of(const std::optional<std::pair<uint64_t, uint64_t>>& shuffle) {
    if (!shuffle) return std::nullopt;
    return Shuffle{shuffle->first, shuffle->second};
  }

  // The pace of so many steps: one rate for all of them, or an array with one each.
  static Pace paced(const py::object& rate, int64_t iteration, int64_t steps) {
    check_iteration(iteration);
    Pace pace;
    pace.iteration = iteration;
    if (py::isinstance<py::array>(rate) && py::reinterpret_borrow<py::array>(rate).ndim() > 0)
      pace.rates = read_only<double>(py::reinterpret_borrow<py::array>(rate), steps, "learning_rate");
    else
      pace.rate = PyFloat_AsDouble(rate.ptr());
    if (PyErr_Occurred()) throw py::error_already_set();
    return pace;
  }

  Rows<T> inputs(const std::vector<py::array>& xs) const {
    if (xs.size() != program().inputs.size())
      fail(Kind::value,
           "xs: expected " + std::to_string(program().inputs.size()) + " arrays, got " + std::to_string(xs.size()));
    Rows<T> rows;
    for (size_t i = 0; i < xs.size(); ++i) {
      if (xs[i].ndim() < 1) fail(Kind::value, "xs: expected an array of rows, got a scalar");
      if (i == 0) rows.count = xs[0].shape(0);
      if (xs[i].shape(0) != rows.count) fail(Kind::value, "xs: the arrays differ in their number of rows");
      rows.x.push_back(read_only<T>(xs[i], checked_mul(rows.count, size(program().inputs[i])), "xs"));
    }
    return rows;
  }

  Rows<T> labelled(const std::vector<py::array>& xs, const py::array& y, const std::optional<py::array>& weight) const {
    Rows<T> rows = inputs(xs);
    const LossCall& loss = program().loss;
    if (loss.hosted && loss.label_int)
      rows.target = read_only<int32_t>(y, checked_mul(rows.count, loss.label_size), "y");
    else if (loss.hosted)
      rows.target = read_only<T>(y, checked_mul(rows.count, loss.label_size), "y");
    else if (sparse_labels(loss.kind))
      rows.target = read_only<int32_t>(y, checked_mul(rows.count, loss.positions), "y");
    else
      rows.target = read_only<T>(y, checked_mul(rows.count, loss.positions * loss.classes), "y");
    if (weight) rows.weight = read_only<T>(*weight, rows.count, "sample_weight");
    return rows;
  }

  std::vector<T*> outputs(std::vector<py::array>& arrays, int64_t count, const std::vector<int>& values,
                          const char* what) const {
    if (arrays.size() != values.size())
      fail(Kind::value, std::string(what) + ": expected " + std::to_string(values.size()) + " arrays, got " +
                            std::to_string(arrays.size()));
    std::vector<T*> data;
    for (size_t i = 0; i < arrays.size(); ++i)
      data.push_back(writable<T>(arrays[i], checked_mul(count, size(values[i])), what));
    return data;
  }

  // New arrays [count, *shape] for these values, appended to `list`.
  std::vector<T*> made(int64_t count, const std::vector<int>& values, py::list& list) const {
    std::vector<T*> data;
    for (int v : values) {
      std::vector<py::ssize_t> shape{count};
      for (int64_t d : program().values[at(v)].shape) shape.push_back(d);
      Array<T> array(shape);
      data.push_back(array.mutable_data());
      list.append(array);
    }
    return data;
  }

  py::array params_, state_, slots_;  // kept alive: the executor reads and writes them in place
  std::unique_ptr<Executor<T>> executor_;
};

template <class T>
void bind(py::module_& m, const char* name) {
  using E = PyExecutor<T>;
  py::class_<E>(m, name, "Executes one Program; see netlet.backends.Executor for what each method does.")
      .def(py::init<const py::bytes&, py::array, py::array, py::array, std::optional<std::string>, std::optional<int>,
                    const py::object&>(),
           py::arg("program"), py::arg("params"), py::arg("state"), py::arg("slots"), py::arg("isa") = py::none(),
           py::arg("num_threads") = py::none(), py::arg("host") = py::none())
      .def("predict", &E::predict, py::arg("xs"), py::arg("outs"), py::arg("batch_size"))
      .def("predictor", &E::predictor)
      .def("frozen", &E::frozen)
      .def("train", &E::train, py::arg("xs"), py::arg("y"), py::arg("sample_weight"), py::kw_only(),
           py::arg("batch_size"), py::arg("shuffle"), py::arg("first"), py::arg("last"), py::arg("learning_rate"),
           py::arg("iteration") = 0, py::arg("sums"))
      .def("train_epochs", &E::train_epochs, py::arg("xs"), py::arg("y"), py::arg("sample_weight"), py::kw_only(),
           py::arg("batch_size"), py::arg("shuffle"), py::arg("epochs"), py::arg("learning_rate"),
           py::arg("iteration") = 0, py::arg("sums"))
      .def("evaluate", &E::evaluate, py::arg("xs"), py::arg("y"), py::arg("sample_weight"), py::kw_only(),
           py::arg("batch_size"), py::arg("sums"))
      .def("gradients", &E::gradients, py::arg("xs"), py::arg("y"), py::arg("sample_weight"))
      .def("vjp", &E::vjp, py::arg("xs"), py::arg("dys"), py::arg("training") = false, py::arg("iteration") = 0,
           py::arg("outs") = py::none())
      .def("apply", &E::apply, py::arg("gradient"), py::arg("learning_rate"), py::arg("iteration") = 0)
      .def("profile", &E::profile, py::arg("xs"), py::arg("y"), py::arg("sample_weight"), py::kw_only(),
           py::arg("batch_size"), py::arg("learning_rate"), py::arg("seconds"));
}

}  // namespace

bool interrupted() {
  py::gil_scoped_acquire acquire;
  return PyErr_CheckSignals() != 0;
}

void bind_executor(py::module_& m) {
  bind<float>(m, "ExecutorF32");
  bind<double>(m, "ExecutorF64");
  m.def(
      "check_program", [](const py::bytes& text) { parse_program(std::string_view(text)); }, py::arg("program"),
      "Raises ModelFormatError unless the JSON text is a valid Program.");
}

}  // namespace netlet
