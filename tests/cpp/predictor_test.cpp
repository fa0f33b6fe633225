// The predictor on every ISA this build and CPU have: the bits of Executor::predict for any number of rows, frozen
// while the executor trains, and from many threads at once.
#include "program/predictor.h"

#include <atomic>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "program/executor.h"

namespace netlet {
namespace {

std::string list(std::initializer_list<int64_t> dims) {
  std::string text = "[";
  for (int64_t d : dims) text += (text.size() > 1 ? "," : "") + std::to_string(d);
  return text + "]";
}

// x -> dense(relu) -> ... -> dense -> last, trained by SGD on integer labels. last: an op of one input, or none.
std::string json(const std::vector<int64_t>& widths, const std::string& last, const char* dtype) {
  std::string values = "{\"name\":\"x\",\"shape\":" + list({widths[0]}) + "}", params, ops;
  int64_t offset = 0, value = 0, param = 0;
  auto param_of = [&](std::initializer_list<int64_t> shape, int64_t size) {
    params += std::string(params.empty() ? "" : ",") + "{\"name\":\"p" + std::to_string(param) +
              "\",\"shape\":" + list(shape) + ",\"offset\":" + std::to_string(offset) + "}";
    offset += size;
    ++param;
  };
  auto op = [&](const std::string& name, const std::string& of, const std::string& attrs, int64_t width) {
    values += ",{\"name\":\"v" + std::to_string(value + 1) + "\",\"shape\":" + list({width}) + "}";
    ops += std::string(ops.empty() ? "" : ",") + "{\"op\":\"" + name + "\",\"inputs\":" + list({value}) +
           ",\"output\":" + std::to_string(value + 1) + ",\"params\":" + of + ",\"state\":[],\"attrs\":" + attrs + "}";
    ++value;
  };
  for (size_t i = 0; i + 1 < widths.size(); ++i) {
    const bool hidden = i + 2 < widths.size();
    param_of({widths[i], widths[i + 1]}, widths[i] * widths[i + 1]);
    param_of({widths[i + 1]}, widths[i + 1]);
    op("dense", list({param - 2, param - 1}), hidden ? "{\"activation\":\"relu\"}" : "{}", widths[i + 1]);
  }
  const int64_t logits = value;
  if (!last.empty()) op(last, "[]", last == "activation" ? "{\"activation\":\"tanh\"}" : "{}", widths.back());
  return std::string("{\"format\":\"netlet-program\",\"version\":1,\"dtype\":\"") + dtype + "\",\"values\":[" + values +
         "],\"params\":[" + params + "],\"state\":[],\"inputs\":[0],\"outputs\":" + list({value}) + ",\"ops\":[" + ops +
         "],\"loss\":{\"op\":\"sparse_categorical_crossentropy\",\"input\":" + std::to_string(logits) +
         ",\"output\":null,\"attrs\":{\"from_logits\":true}},\"optimizer\":{\"op\":\"sgd\",\"attrs\":{}},\"metrics\":[]"
         "}";
}

template <class T>
struct Fixture {
  std::vector<T> params, x;
  std::vector<int32_t> labels;
  int64_t inputs, outputs;
  std::unique_ptr<Executor<T>> executor;

  Fixture(const std::vector<int64_t>& widths, const std::string& last, Isa isa, int64_t rows, int threads)
      : inputs(widths.front()), outputs(widths.back()) {
    Program program = parse_program(json(widths, last, sizeof(T) == 4 ? "float32" : "float64"));
    std::mt19937 bits(7);
    auto fill = [&](std::vector<T>& v, int64_t n, double most) {
      v.resize(static_cast<size_t>(n));
      for (T& e : v) e = static_cast<T>(most * (2 * static_cast<double>(bits()) / 4294967296.0 - 1));
    };
    fill(params, program.param_size, 0.3);
    fill(x, rows * inputs, 1);
    for (int64_t i = 0; i < rows; ++i) labels.push_back(static_cast<int32_t>(bits() % static_cast<uint32_t>(outputs)));
    executor = std::make_unique<Executor<T>>(std::move(program), isa, params.data(), nullptr, threads);
  }

  Rows<T> data(int64_t first, int64_t count) {
    Rows<T> rows;
    rows.count = count;
    rows.x = {x.data() + first * inputs};
    rows.target = labels.data() + first;
    return rows;
  }

  std::vector<T> predict(int64_t first, int64_t count) {
    std::vector<T> y(static_cast<size_t>(count * outputs));
    T* out[] = {y.data()};
    executor->predict(data(first, count), out, 64, Interrupt());
    return y;
  }
};

// One element beyond the output must stay, and so must the input.
template <class T>
bool same(const Predictor<T>& predictor, Fixture<T>& f, int64_t first, int64_t count, const std::vector<T>& want) {
  const std::vector<T> x = f.x;
  std::vector<T> got(want.size() + 1, T(-77));
  predictor.run(count, f.x.data() + first * f.inputs, got.data());
  return std::memcmp(got.data(), want.data(), want.size() * sizeof(T)) == 0 && got.back() == T(-77) && f.x == x;
}

template <class T>
void test_bits(Isa isa) {
  const std::vector<int64_t> networks[] = {
      {2, 3, 1},         {4, 32, 16, 4}, {64, 64, 64, 10}, {63, 65, 7},
      {784, 128, 10},    {5, 700, 3},    {300, 301, 10},  // too large for the stack
      {129, 513, 257, 2}};
  for (const auto& widths : networks)
    for (const char* last : {"", "softmax", "activation"}) {
      Fixture<T> f(widths, last, isa, 700, 2);
      const auto predictor = f.executor->predictor();
      CHECK(predictor->input_size() == f.inputs && predictor->output_size() == f.outputs);
      for (int64_t rows = 1; rows <= 40; ++rows)
        CHECK_NOTE(same(*predictor, f, rows, rows, f.predict(rows, rows)), std::to_string(widths[0]) + "-" +
                                                                               std::to_string(widths[1]) + " " + last +
                                                                               ", " + std::to_string(rows) + " rows");
      for (int64_t rows : {129, 700}) CHECK(same(*predictor, f, 0, rows, f.predict(0, rows)));
    }
}

void test_frozen() {
  Fixture<float> f({64, 64, 64, 10}, "softmax", default_isa(), 96, 1);
  const std::vector<float> before = f.predict(0, 20);
  const auto predictor = f.executor->predictor();
  double sums[2] = {0, 0};
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0}, calls{0};
  std::thread watcher([&] {
    while (!stop || calls < 100) {
      wrong += !same(*predictor, f, 0, 20, before);
      ++calls;
    }
  });
  for (uint64_t epoch = 0; epoch < 50; ++epoch)
    f.executor->train(f.data(0, 96), 32, Shuffle{1, epoch}, 0, 3, Pace{0.1}, sums, Interrupt());
  stop = true;
  watcher.join();
  CHECK(wrong == 0);
  const std::vector<float> after = f.predict(0, 20);
  CHECK(after != before);
  const auto next = f.executor->predictor();
  f.executor.reset();  // nothing of it is needed any more
  CHECK(same(*predictor, f, 0, 20, before));
  CHECK(same(*next, f, 0, 20, after));
}

void test_threads() {
  for (const auto& widths : {std::vector<int64_t>{64, 64, 64, 10}, std::vector<int64_t>{300, 301, 10}}) {
    Fixture<float> f(widths, "softmax", default_isa(), 700, 2);
    const auto predictor = f.executor->predictor();
    std::vector<std::vector<float>> want;
    for (int64_t rows = 1; rows <= 40; ++rows) want.push_back(f.predict(rows, rows));
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t)
      threads.emplace_back([&, t] {
        for (int i = 0; i < 400; ++i) {
          const int64_t rows = 1 + (i * 7 + t) % 40;
          wrong += !same(*predictor, f, rows, rows, want[static_cast<size_t>(rows - 1)]);
        }
      });
    for (std::thread& t : threads) t.join();
    CHECK(wrong == 0);
  }
}

void test_refusal() {
  std::string two = json({2, 3, 1}, "", "float32");
  const std::string one = "\"outputs\":[2]";
  two.replace(two.find(one), one.size(), "\"outputs\":[2,1]");
  std::vector<float> params(13);
  Executor<float> executor(parse_program(two), default_isa(), params.data(), nullptr, 1);
  CHECK_FAILS(value, "expected a program with one input and one output, got 1 and 2", executor.predictor());
}

}  // namespace
}  // namespace netlet

int main(int argc, char** argv) {  // of all, or the instruction set named
  using namespace netlet;
  for (Isa isa : kAllIsas) {
    if (!built(isa) || !supported(isa) || (argc > 1 && parse(argv[1]) != isa)) continue;
    std::printf("%s\n", name(isa));
    test_bits<float>(isa);
    test_bits<double>(isa);
  }
  test_frozen();
  test_threads();
  test_refusal();
  return test::report("predictor");
}
