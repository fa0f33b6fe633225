// The executor on every ISA this build and CPU have, from JSON to weights: gradients against central differences in
// double, float against double, and the same bits for any number of threads and any batch.
#include "program/executor.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "check.h"

namespace netlet {
namespace {

struct Net {
  int64_t inputs = 5, hidden = 7, outputs = 3;
  std::string activation = "tanh", loss = "mean_squared_error";
  bool logits = false, momentum = false;
};

std::string shape(std::initializer_list<int64_t> dims) {
  std::string text = "[";
  for (int64_t d : dims) text += (text.size() > 1 ? "," : "") + std::to_string(d);
  return text + "]";
}

// x[inputs] -> dense(activation) -> dense -> loss, with the parameters one after another.
std::string json(const Net& n, const char* dtype) {
  const int64_t k1 = n.inputs * n.hidden, k2 = n.hidden * n.outputs;
  auto param = [](const char* name, const std::string& dims, int64_t offset) {
    return std::string("{\"name\":\"") + name + "\",\"shape\":" + dims + ",\"offset\":" + std::to_string(offset) + "}";
  };
  return std::string("{\"format\":\"netlet-program\",\"version\":1,\"dtype\":\"") + dtype + "\",\"values\":[" +
         "{\"name\":\"x\",\"shape\":" + shape({n.inputs}) + "},{\"name\":\"z\",\"shape\":" + shape({n.hidden}) +
         "},{\"name\":\"h\",\"shape\":" + shape({n.hidden}) + "},{\"name\":\"y\",\"shape\":" + shape({n.outputs}) +
         "}],\"params\":[" + param("k1", shape({n.inputs, n.hidden}), 0) + "," + param("b1", shape({n.hidden}), k1) +
         "," + param("k2", shape({n.hidden, n.outputs}), k1 + n.hidden) + "," +
         param("b2", shape({n.outputs}), k1 + n.hidden + k2) +
         "],\"state\":[],\"inputs\":[0],\"outputs\":[3],\"ops\":[" +
         "{\"op\":\"dense\",\"inputs\":[0],\"output\":1,\"params\":[0,1],\"state\":[],\"attrs\":{}}," +
         "{\"op\":\"activation\",\"inputs\":[1],\"output\":2,\"params\":[],\"state\":[],\"attrs\":{\"activation\":\"" +
         n.activation +
         "\"}},{\"op\":\"dense\",\"inputs\":[2],\"output\":3,\"params\":[2,3],\"state\":[],\"attrs\":{}}],\"loss\":{"
         "\"op\":\"" +
         n.loss + "\",\"input\":3,\"output\":null,\"attrs\":" + (n.logits ? "{\"from_logits\":true}" : "{}") +
         "},\"optimizer\":{\"op\":\"sgd\",\"attrs\":" + (n.momentum ? "{\"momentum\":0.5,\"nesterov\":true}" : "{}") +
         "},\"metrics\":[]}";
}

template <class T>
struct Fixture {
  int64_t rows;
  std::vector<T> params, slots, x, weight;
  std::vector<T> dense;
  std::vector<int32_t> labels;
  Rows<T> data;
  std::unique_ptr<Executor<T>> executor;

  Fixture(const Net& n, Isa isa, int64_t rows_, int threads) : rows(rows_) {
    Program program = parse_program(json(n, sizeof(T) == 4 ? "float32" : "float64"));
    std::mt19937 bits(5);
    auto fill = [&](std::vector<T>& v, int64_t count, double low, double high) {
      v.resize(static_cast<size_t>(count));
      for (T& e : v)
        e = static_cast<T>(static_cast<float>(low + (high - low) * static_cast<double>(bits()) / 4294967296.0));
    };
    fill(params, program.param_size, -0.5, 0.5);
    slots.assign(static_cast<size_t>(program.optimizer.slots() * program.param_size), T(0));
    fill(x, rows * n.inputs, -1, 1);
    fill(weight, rows, 0.5, 2);
    fill(dense, rows * n.outputs, 0, 1);
    for (int64_t i = 0; i < rows; ++i)
      labels.push_back(static_cast<int32_t>(bits() % static_cast<uint32_t>(n.outputs)));
    data.count = rows;
    data.x = {x.data()};
    data.target = sparse_labels(program.loss.kind) ? static_cast<const void*>(labels.data()) : dense.data();
    data.weight = weight.data();
    executor = std::make_unique<Executor<T>>(std::move(program), isa, params.data(), slots.data(), threads);
  }

  double loss() {
    std::vector<T> dp(params.size()), dx(x.size());
    T* dxs[] = {dx.data()};
    return executor->gradients(data, dp.data(), dxs);
  }
};

const char* const kActivations[] = {"linear",      "leaky_relu",  "elu",          "selu",       "sigmoid",
                                    "tanh",        "exponential", "hard_sigmoid", "softplus",   "softsign",
                                    "gelu",        "silu",        "celu",         "squareplus", "sparse_plus",
                                    "log_sigmoid", "hard_silu",   "tanh_shrink",  "mish",       "relu"};

void test_gradients(Isa isa) {
  for (const char* activation : kActivations)
    for (int kind = 0; kind < kLossCount; ++kind) {
      static const char* const losses[] = {"mean_squared_error",
                                           "mean_absolute_error",
                                           "binary_crossentropy",
                                           "binary_crossentropy",
                                           "categorical_crossentropy",
                                           "categorical_crossentropy",
                                           "sparse_categorical_crossentropy",
                                           "sparse_categorical_crossentropy",
                                           "huber",
                                           "log_cosh",
                                           "poisson",
                                           "mean_absolute_percentage_error",
                                           "mean_squared_logarithmic_error",
                                           "kl_divergence"};
      Net n;
      n.activation = activation;
      n.loss = losses[kind];
      n.logits = kind == 3 || kind == 5 || kind == 7;
      Fixture<double> f(n, isa, 6, 2);
      if (kind == 2 || kind == 4 || kind == 6 ||
          kind >= 10) {  // on probabilities and counts: keep the outputs well within (0, 1)
        for (size_t i = f.params.size() - 3 - 21; i < f.params.size() - 3; ++i) f.params[i] *= 0.05;
        for (size_t i = f.params.size() - 3; i < f.params.size(); ++i) f.params[i] = 0.4;
      }
      std::vector<double> dp(f.params.size()), dx(f.x.size());
      double* dxs[] = {dx.data()};
      f.executor->gradients(f.data, dp.data(), dxs);
      const double h = 1e-6;
      auto agrees = [&](double* at, double got) {
        const double was = *at;
        *at = was + h;
        const double up = f.loss();
        *at = was - h;
        const double down = f.loss();
        *at = was;
        const double rounding = 4 * std::numeric_limits<double>::epsilon() * up / h;  // of the losses themselves
        CHECK_NOTE(std::fabs(got - (up - down) / (2 * h)) <= 2e-8 * (1 + std::fabs(got)) + rounding,
                   std::string(activation) + " " + losses[kind] + (n.logits ? " logits" : ""));
      };
      for (size_t i = 0; i < f.params.size(); i += 3) agrees(&f.params[i], dp[i]);
      for (size_t i = 0; i < f.x.size(); i += 4) agrees(&f.x[i], dx[i]);
    }
}

// Trains in float and double from the same start.
void test_float_follows_double(Isa isa) {
  Net n;
  n.inputs = 20, n.hidden = 33, n.outputs = 10, n.loss = "sparse_categorical_crossentropy", n.logits = true,
  n.momentum = true;
  Fixture<float> f(n, isa, 50, 2);
  Fixture<double> d(n, isa, 50, 2);
  double fs[2] = {0, 0}, ds[2] = {0, 0};
  for (uint64_t epoch = 0; epoch < 4; ++epoch) {
    f.executor->train(f.data, 16, Shuffle{9, epoch}, 0, 4, Pace{0.05}, fs, Interrupt());
    d.executor->train(d.data, 16, Shuffle{9, epoch}, 0, 4, Pace{0.05}, ds, Interrupt());
  }
  double worst = 0;
  for (size_t i = 0; i < f.params.size(); ++i) worst = std::fmax(worst, std::fabs(double(f.params[i]) - d.params[i]));
  CHECK_NOTE(worst < 2e-6, "weights differ by " + std::to_string(worst));
  CHECK(std::fabs(fs[0] / fs[1] - ds[0] / ds[1]) < 1e-5);
  CHECK(fs[1] == 200);
}

template <class T>
void test_threads_and_batches(Isa isa, int64_t inputs, int64_t hidden, int64_t rows) {
  Net n;
  n.inputs = inputs, n.hidden = hidden, n.outputs = 10, n.activation = "gelu", n.momentum = true;
  n.loss = "sparse_categorical_crossentropy", n.logits = true;
  Fixture<T> one(n, isa, rows, 1);
  double sums[2] = {0, 0};
  one.executor->train(one.data, 256, Shuffle{1, 2}, 0, (rows + 255) / 256, Pace{0.1}, sums, Interrupt());
  std::vector<T> whole(static_cast<size_t>(rows * 10));
  T* out[] = {whole.data()};
  one.executor->predict(one.data, out, 64, Interrupt());
  for (int threads : {2, 3, 8}) {
    Fixture<T> many(n, isa, rows, threads);
    double other[2] = {0, 0};
    many.executor->train(many.data, 256, Shuffle{1, 2}, 0, (rows + 255) / 256, Pace{0.1}, other, Interrupt());
    CHECK_NOTE(std::memcmp(one.params.data(), many.params.data(), one.params.size() * sizeof(T)) == 0,
               std::to_string(threads) + " threads change the weights");
    CHECK(std::memcmp(sums, other, sizeof sums) == 0);
    std::vector<T> again(whole.size());
    T* to[] = {again.data()};
    many.executor->predict(many.data, to, 7 * threads, Interrupt());
    CHECK(std::memcmp(whole.data(), again.data(), whole.size() * sizeof(T)) == 0);
  }
  for (int64_t r : {int64_t{0}, rows / 2, rows - 1}) {  // a row alone
    Rows<T> row;
    row.count = 1;
    row.x = {one.x.data() + r * inputs};
    T y[10];
    T* to[] = {y};
    one.executor->predict(row, to, 1, Interrupt());
    CHECK_NOTE(std::memcmp(y, whole.data() + r * 10, sizeof y) == 0, "row " + std::to_string(r) + " alone differs");
  }
}

void test_interrupt() {
  constexpr int64_t rows = 450000;
  Fixture<float> f(Net{}, detect(), rows, 1);
  double sums[2] = {0, 0};
  static int asked;
  asked = 0;
  CHECK_FAILS(
      interrupt, "interrupted",
      f.executor->train(f.data, 1, std::nullopt, 0, rows, Pace{0.01}, sums, Interrupt([] { return ++asked == 2; })));
  CHECK(asked == 2);
  CHECK(sums[1] > 0 && sums[1] < rows);
  for (float w : f.params) CHECK(std::isfinite(w));
  const double before = sums[1];
  f.executor->train(f.data, 1, std::nullopt, 0, 10, Pace{0.01}, sums, Interrupt());  // and it goes on
  CHECK(sums[1] == before + 10);
}

// One step so long that it is asked within it whether to stop, by shards or by ops: a stop leaves all as it was, and
// the number of threads changes no bit.
void test_long_step(int64_t width) {
  constexpr int64_t rows = 30000;
  Net n;
  n.inputs = n.hidden = width;
  Fixture<float> one(n, detect(), rows, 1), two(n, detect(), rows, 2);
  const std::vector<float> before = two.params;
  double sums[2] = {0, 0}, other[2] = {0, 0};
  static int asked;
  asked = 0;
  CHECK_FAILS(interrupt, "interrupted",
              two.executor->train(two.data, rows, std::nullopt, 0, 1, Pace{0.01}, sums,
                                  Interrupt([] { return ++asked == 2; })));
  CHECK(asked == 2 && sums[1] == 0 && two.params == before);
  two.executor->train(two.data, rows, std::nullopt, 0, 1, Pace{0.01}, sums, Interrupt());
  one.executor->train(one.data, rows, std::nullopt, 0, 1, Pace{0.01}, other, Interrupt());
  CHECK(two.params != before && two.params == one.params && sums[0] == other[0] && sums[1] == rows);
}

// Row-sharded (many shards, two threads) and op-parallel: a profile has the parts that ran, and changes nothing.
void test_profile(Isa isa, int64_t width) {
  Net n;
  n.inputs = n.hidden = width;
  n.momentum = true;
  Fixture<float> f(n, isa, 700, 2);
  const std::vector<float> params = f.params, slots = f.slots;
  const Profile step = f.executor->profile(f.data, 300, 0.1, 0.01, Interrupt());
  CHECK(f.params == params && f.slots == slots);
  CHECK(step.step > 0 && step.shuffle > 0 && step.steps >= 3 && step.isa == isa);
  CHECK(step.threads == (parallel_available() ? 2 : 1));
  CHECK(step.parts.size() == kPartCount && step.forward.size() == 3 && step.backward.size() == 3);
  for (const double part : step.forward) CHECK(part >= 0);
  for (const double part : step.backward) CHECK(part >= 0);
  const bool sharded = width == 100;
  for (size_t i = 0; i < kPartCount; ++i) {
    const bool runs = i == Laps::place(Part::prepare) ? sharded : i != Laps::place(Part::metrics);
    CHECK_NOTE((step.parts[i] >= 0) == runs, "part " + std::to_string(i));
  }
  f.data.target = nullptr;
  const Profile prediction = f.executor->profile(f.data, 300, 0.0, 0.01, Interrupt());
  for (const double part : prediction.forward) CHECK(part >= 0);
  for (const double part : prediction.backward) CHECK(part < 0);
  for (const double part : prediction.parts) CHECK(part < 0);
  CHECK(prediction.step > 0 && prediction.shuffle < 0);
  f.data.count = 0;
  CHECK_FAILS(value, "no rows", f.executor->profile(f.data, 300, 0.0, 0.01, Interrupt()));
}

}  // namespace
}  // namespace netlet

int main(int argc, char** argv) {  // of all, or the instruction set named
  using namespace netlet;
  for (Isa isa : kAllIsas) {
    if (!built(isa) || !supported(isa) || (argc > 1 && parse(argv[1]) != isa)) continue;
    std::printf("%s\n", name(isa));
    test_gradients(isa);
    test_float_follows_double(isa);
    test_threads_and_batches<float>(isa, 100, 100, 700);  // row-sharded
    test_threads_and_batches<float>(isa, 300, 301, 300);  // op-parallel
    test_threads_and_batches<double>(isa, 100, 100, 700);
    test_profile(isa, 100);  // row-sharded
    test_profile(isa, 300);  // op-parallel
  }
  test_interrupt();
  test_long_step(150);  // by shards
  test_long_step(300);  // by ops
  return test::report("executor");
}
