// The kernels of every ISA this build and CPU have: GEMM exact on integers and the same bits in place and packed, sums,
// transposes, activations and optimizer against plain double arithmetic; dropout, columns and extremes at their edges.
#include "kernels/kernels.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "check.h"
#include "core/philox.h"

namespace netlet {
namespace {

using test::check;

template <class T>
std::vector<T> random(std::mt19937& bits, int64_t n, bool integers) {
  std::vector<T> x(static_cast<size_t>(n));
  for (T& v : x) {
    const double u = static_cast<double>(bits()) / 4294967296.0;
    v = integers ? static_cast<T>(std::floor(u * 17) - 8) : static_cast<T>(2 * u - 1);
  }
  return x;
}

// c = init + a b, by the definition, in the kernels' order; exact where all is integer.
template <class T>
std::vector<T> product(const GemmArgs<T>& g, const std::vector<T>& init) {
  std::vector<T> c = init;
  for (int64_t i = 0; i < g.m; ++i)
    for (int64_t j = 0; j < g.n; ++j) {
      T sum = g.bias ? g.bias[j] : g.accumulate ? init[static_cast<size_t>(i * g.ldc + j)] : T(0);
      for (int64_t k = 0; k < g.k; ++k) sum += g.a[i * g.a_row + k * g.a_col] * g.b[k * g.b_row + j * g.b_col];
      c[static_cast<size_t>(i * g.ldc + j)] = g.relu && sum < 0 ? T(0) : sum;
    }
  return c;
}

template <class T>
void gemm_case(const Kernels<T>& kernels, std::mt19937& bits, int64_t m, int64_t n, int64_t k, int mode,
               bool integers) {
  // One element beyond each row of c: a neighbour that must not change.
  const std::vector<T> a = random<T>(bits, m * k, integers), b = random<T>(bits, k * n, integers),
                       bias = random<T>(bits, n, integers), init = random<T>(bits, m * (n + 1), integers);
  std::vector<T> b_turned(b.size());
  kernels.transpose(k, n, b.data(), b_turned.data());
  const bool turned_a = mode & 1;
  std::vector<T> scratch(static_cast<size_t>(kernels.gemm_scratch(m, n, k)));
  GemmArgs<T> g{m, n, k, a.data(), turned_a ? 1 : k, turned_a ? m : 1, b.data(), n, 1, nullptr, n + 1};
  g.scratch = scratch.data();
  g.accumulate = (mode & 2) != 0;
  if ((mode & 4) && !g.accumulate) g.bias = bias.data();
  g.relu = (mode & 8) != 0;
  std::vector<T> in_place = init, packed = init, by_rows = init;
  g.c = in_place.data();
  kernels.gemm(g);
  for (int64_t i = 0; i < m; ++i) {  // each row in the tile that it takes alone
    GemmArgs<T> row = g;
    row.m = 1;
    row.a += i * g.a_row;
    row.c = by_rows.data() + i * (n + 1);
    kernels.gemm(row);
  }
  g.b = b_turned.data();  // read through strides, which is always packed
  g.b_row = 1;
  g.b_col = k;
  g.c = packed.data();
  kernels.gemm(g);
  const std::string note = "m=" + std::to_string(m) + " n=" + std::to_string(n) + " k=" + std::to_string(k) +
                           " mode=" + std::to_string(mode);
  CHECK_NOTE(std::memcmp(in_place.data(), by_rows.data(), in_place.size() * sizeof(T)) == 0, "rows differ, " + note);
  CHECK_NOTE(std::memcmp(in_place.data(), packed.data(), in_place.size() * sizeof(T)) == 0, "packed differs, " + note);
  if (integers) CHECK_NOTE(in_place == product(g, init), note);

  // b packed beforehand, in exactly as much memory as is asked for.
  std::vector<T> panels(static_cast<size_t>(kernels.gemm_packed_size(n, k))), before = init;
  kernels.gemm_pack(k, n, b.data(), n, 1, panels.data());
  g.b = nullptr;
  g.b_row = n;
  g.b_col = 1;
  g.packed_b = panels.data();
  g.packed_n = n;
  g.c = before.data();
  kernels.gemm(g);
  CHECK_NOTE(std::memcmp(in_place.data(), before.data(), before.size() * sizeof(T)) == 0, "packed before, " + note);
  if (n > kernels.nr) {  // and from its second panel on
    before = init;
    GemmArgs<T> right = g;
    right.n = n - kernels.nr;
    right.packed_from = kernels.nr;
    right.c += kernels.nr;
    if (right.bias) right.bias += kernels.nr;
    kernels.gemm(right);
    for (int64_t i = 0; i < m; ++i) std::copy_n(in_place.data() + i * (n + 1), kernels.nr, before.data() + i * (n + 1));
    CHECK_NOTE(std::memcmp(in_place.data(), before.data(), before.size() * sizeof(T)) == 0, "second panel, " + note);
  }

  // A step of gradient descent instead of a result: the bits of product, then update.
  if (g.relu) return;
  std::vector<T> weights = random<T>(bits, m * (n + 1), integers), stepped = weights, partial = init;
  for (int64_t i = 0; i < m; ++i) kernels.sgd(n, T(0.25), in_place.data() + i * (n + 1), weights.data() + i * (n + 1));
  g.c = partial.data();
  g.weights = stepped.data();
  g.rate = T(0.25);
  kernels.gemm(g);
  CHECK_NOTE(std::memcmp(weights.data(), stepped.data(), weights.size() * sizeof(T)) == 0, "stepped, " + note);
}

template <class T>
void test_gemm(const Kernels<T>& kernels) {
  std::mt19937 bits(1);
  const int64_t nr = kernels.nr, mr = kernels.mr;
  for (int64_t m : {int64_t{1}, int64_t{2}, int64_t{3}, mr - 1, mr, mr + 1, 2 * mr + 5})
    for (int64_t n : {int64_t{1}, int64_t{3}, nr / 2 - 1, nr / 2, nr / 2 + 1, nr - 1, nr, nr + 1, 2 * nr + 3})
      for (int64_t k : {0, 1, 2, 7, 64})
        for (int mode = 0; mode < 16; ++mode) gemm_case(kernels, bits, m, n, k, mode, true);
  // One row: in tiles of 1 to 8 vectors, and beyond.
  for (int64_t n = 1; n <= 9 * nr / 2 + 3; ++n)
    for (int64_t k : {0, 1, 2, 7, 64})
      for (int mode = 0; mode < 16; ++mode) gemm_case(kernels, bits, 1, n, k, mode, mode & 1);
  // Columns that fill a register, half of one or part of either, with every number of rows.
  for (int64_t n = 1; n <= nr / 2 + 1; ++n)
    for (int64_t m = 1; m <= 26; ++m)
      for (int64_t k : {1, 2, 3, 4, 5})
        for (int mode : {0, 1, 2, 4, 9, 12}) gemm_case(kernels, bits, m, n, k, mode, k % 2 == 0);
  for (int64_t n : {int64_t{1}, nr / 4, nr / 2 - 1, nr / 2})
    for (int mode : {0, 3, 5, 8}) gemm_case(kernels, bits, 205, n, 517, mode, true);
  // Beyond every block: KC = 512 or 256, MC = 192, NC = 2048.
  for (int mode : {0, 1, 2, 4, 13}) {
    gemm_case(kernels, bits, 203, 67, 515, mode, true);
    gemm_case(kernels, bits, 131, 130, 257, mode, false);
    gemm_case(kernels, bits, 13, 2100, 300, mode, false);
  }
}

// Dense layers of few inputs and outputs: the bits of gemm, column_sums and sgd, and nothing written beside.
template <class T>
void few_case(const Kernels<T>& kernels, std::mt19937& bits, int64_t rows, int64_t inputs, int64_t outputs) {
  const auto same = [&](const std::vector<T>& a, const std::vector<T>& b) {
    return a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
  };
  const std::vector<T> x = random<T>(bits, rows * inputs, false), w = random<T>(bits, inputs * outputs, false),
                       bias = random<T>(bits, outputs, false), dz = random<T>(bits, rows * outputs, false);
  const std::string note =
      "rows=" + std::to_string(rows) + " inputs=" + std::to_string(inputs) + " outputs=" + std::to_string(outputs);
  std::vector<T> scratch(static_cast<size_t>(
      std::max(kernels.gemm_scratch(rows, outputs, inputs), kernels.gemm_scratch(inputs, outputs, rows))));
  for (int mode = 0; mode < 4; ++mode) {
    std::vector<T> got(dz.size() + 1, T(7)), want = got;
    GemmArgs<T> g{rows, outputs, inputs, x.data(), inputs, 1, w.data(), outputs, 1, want.data(), outputs};
    g.scratch = scratch.data();
    if (mode & 1) g.bias = bias.data();
    g.relu = (mode & 2) != 0;
    kernels.gemm(g);
    kernels.few_forward(rows, inputs, outputs, x.data(), w.data(), g.bias, g.relu, got.data());
    CHECK_NOTE(same(got, want), "forward, " + note + " mode=" + std::to_string(mode));
  }
  for (const bool accumulate : {false, true}) {
    std::vector<T> dw(w.size() + 1, T(0.5)), dbias(bias.size() + 1, T(0.25)), want_dw = dw, want_dbias = dbias;
    GemmArgs<T> g{inputs, outputs, rows, x.data(), 1, inputs, dz.data(), outputs, 1, want_dw.data(), outputs};
    g.scratch = scratch.data();
    g.accumulate = accumulate;
    kernels.gemm(g);
    kernels.column_sums(rows, outputs, dz.data(), outputs, want_dbias.data(), accumulate);
    FewGradients<T> few{rows, inputs, outputs, x.data(), dz.data(), dw.data(), dbias.data(), accumulate};
    kernels.few_gradients(few);
    CHECK_NOTE(same(dw, want_dw) && same(dbias, want_dbias), "gradients, " + note);
    std::fill(dw.begin(), dw.end(), T(0.5));
    few.dbias = nullptr;
    kernels.few_gradients(few);
    CHECK_NOTE(same(dw, want_dw), "gradients without bias, " + note);
    if (accumulate) continue;

    std::vector<T> weights = w, moved = bias, want_weights = w, want_moved = bias;
    const std::vector<T> before = dw;
    kernels.sgd(inputs * outputs, T(0.1), want_dw.data(), want_weights.data());
    kernels.sgd(outputs, T(0.1), want_dbias.data(), want_moved.data());
    few.dbias = dbias.data();
    few.weights = weights.data(), few.bias = moved.data(), few.rate = T(0.1);
    kernels.few_gradients(few);
    CHECK_NOTE(same(weights, want_weights) && same(moved, want_moved), "descent, " + note);
    CHECK_NOTE(same(dw, before) && same(dbias, want_dbias), "descent leaves the gradient, " + note);
  }
}

template <class T>
void test_few(const Kernels<T>& kernels) {
  std::mt19937 bits(11);
  CHECK(kernels.few_inputs >= 1 && kernels.few_outputs >= 1);
  for (int64_t inputs = 1; inputs <= kernels.few_inputs; ++inputs)
    for (int64_t outputs = 0; outputs <= kernels.few_outputs; ++outputs)
      for (int64_t rows : {0, 1, 2, 5, 10, 33}) few_case(kernels, bits, rows, inputs, outputs);
}

template <class T>
void test_arrays(const Kernels<T>& kernels) {
  std::mt19937 bits(2);
  for (int64_t m : {0, 1, 3, 7, 8, 9, 31})
    for (int64_t n : {1, 2, 5, 8, 16, 17, 33, 67}) {
      const std::vector<T> x = random<T>(bits, m * n, true);
      std::vector<T> turned(x.size()), sums(static_cast<size_t>(n), T(3)), want(static_cast<size_t>(n), T(3));
      kernels.transpose(m, n, x.data(), turned.data());
      bool same = true;
      for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < n; ++j) {
          same = same && turned[static_cast<size_t>(j * m + i)] == x[static_cast<size_t>(i * n + j)];
          want[static_cast<size_t>(j)] += x[static_cast<size_t>(i * n + j)];
        }
      CHECK(same);
      kernels.column_sums(m, n, x.data(), n, sums.data(), true);
      CHECK(sums == want);
    }
}

double reference(Act act, double alpha, double x) {
  switch (act) {
    case Act::linear:
      return x;
    case Act::relu:
      return x > 0 ? x : 0;
    case Act::leaky_relu:
      return x > 0 ? x : alpha * x;
    case Act::elu:
      return x > 0 ? x : alpha * std::expm1(x);
    case Act::selu:
      return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * std::expm1(x));
    case Act::sigmoid:
      return 1 / (1 + std::exp(-x));
    case Act::tanh:
      return std::tanh(x);
    case Act::exponential:
      return std::exp(x);
    case Act::hard_sigmoid:
      return std::fmin(1, std::fmax(0, x / 6 + 0.5));
    case Act::relu6:
      return std::fmin(6, std::fmax(0, x));
    case Act::celu:
      return x > 0 ? x : alpha * std::expm1(x / alpha);
    case Act::squareplus:
      return 0.5 * (x + std::sqrt(x * x + alpha));
    case Act::soft_shrink:
      return x > alpha ? x - alpha : x < -alpha ? x + alpha : 0;
    case Act::hard_shrink:
      return std::fabs(x) > alpha ? x : 0;
    case Act::sparse_plus:
      return x <= -1 ? 0 : x < 1 ? 0.25 * (x + 1) * (x + 1) : x;
    case Act::hard_tanh:
      return std::fmin(1, std::fmax(-1, x));
    case Act::sparse_sigmoid:
      return std::fmin(1, std::fmax(0, 0.5 * (x + 1)));
    case Act::log_sigmoid:
      return std::fmin(x, 0) - std::log1p(std::exp(-std::fabs(x)));
    case Act::softplus:
      return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x)));
    case Act::softsign:
      return x / (1 + std::fabs(x));
    case Act::gelu:
      return 0.5 * x * std::erfc(-x * std::sqrt(0.5));
    case Act::gelu_tanh:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case Act::silu:
      return x / (1 + std::exp(-x));
    case Act::hard_silu:
      return x * std::fmin(1, std::fmax(0, x / 6 + 0.5));
    case Act::tanh_shrink:
      return x - std::tanh(x);
    case Act::mish:
      return x * std::tanh(std::log1p(std::exp(x)));
  }
  return 0;
}

template <class T>
void test_activations(const Kernels<T>& kernels) {
  constexpr int64_t n = 83;  // whole vectors and a tail on every ISA
  const double eps = std::numeric_limits<T>::epsilon(), alpha = 0.3;
  std::vector<T> x(n), y(n), dy(n, T(1)), dx(n);
  for (int64_t i = 0; i < n; ++i) x[static_cast<size_t>(i)] = static_cast<T>((static_cast<double>(i) - 40.5) / 7);
  for (int act = 0; act < kActCount; ++act) {
    kernels.act_forward[act](n, static_cast<T>(alpha), x.data(), y.data());
    kernels.act_backward[act](n, static_cast<T>(alpha), x.data(), y.data(), dy.data(), dx.data());
    for (size_t i = 0; i < x.size(); ++i) {
      const double at = x[i], h = 1e-4, a = static_cast<double>(static_cast<T>(alpha));
      const double want = reference(static_cast<Act>(act), a, at);
      const double slope =
          (reference(static_cast<Act>(act), a, at + h) - reference(static_cast<Act>(act), a, at - h)) / (2 * h);
      const std::string note = "act " + std::to_string(act) + " x " + std::to_string(at);
      // A few roundings of terms no larger than 1 + |x|; the slope's own error is h^2 times a third derivative.
      CHECK_NOTE(std::fabs(y[i] - want) <= 8 * eps * (1 + std::fabs(at)) * std::fmax(1, std::fabs(want)), note);
      CHECK_NOTE(std::fabs(dx[i] - slope) <= (16 * eps * (1 + at * at) + 1e-7) * std::fmax(1, std::fabs(slope)), note);
    }
    // A NaN comes out as one, wherever it stands.
    std::vector<T> nan(n, std::numeric_limits<T>::quiet_NaN());
    kernels.act_forward[act](n, static_cast<T>(alpha), nan.data(), y.data());
    for (T v : y) CHECK_NOTE(v != v, "NaN through act " + std::to_string(act));
  }
}

// Relu with all its arguments, and threshold: the two things that Piecewise says.
template <class T>
void test_piecewise(const Kernels<T>& kernels) {
  constexpr int64_t n = 83;
  constexpr T infinity = std::numeric_limits<T>::infinity();
  std::vector<T> x(n), y(n), dy(n), dx(n);
  for (int64_t i = 0; i < n; ++i) {  // quarters, exact in every type; the last ones are not finite
    x[static_cast<size_t>(i)] = static_cast<T>(i - 40) / 4;
    dy[static_cast<size_t>(i)] = static_cast<T>(i % 5 - 2);
  }
  x[80] = infinity, x[81] = -infinity, x[82] = std::numeric_limits<T>::quiet_NaN();
  const Piecewise<T> cases[] = {{1, T(0.5), 0, -infinity, infinity},
                                {-2, 0, 0, 0, 6},
                                {-1, T(0.25), 0, 0, 3},
                                {2, 0, 7, -infinity, infinity},
                                {2, -1, 0, 0, T(0.5)}};
  for (const Piecewise<T>& f : cases) {
    kernels.piecewise_forward(n, f, x.data(), y.data());
    kernels.piecewise_backward(n, f, x.data(), dy.data(), dx.data());
    for (size_t i = 0; i < x.size(); ++i) {
      const T above = std::fmin(f.high, std::fmax(f.low, x[i]));
      const T below = f.scale != 0 ? f.scale * (x[i] - f.threshold) : f.value;
      const T slope = x[i] <= f.threshold ? f.scale : x[i] > f.low && x[i] < f.high ? T(1) : T(0);
      const std::string note = "x " + std::to_string(double(x[i]));
      if (i + 1 < x.size()) CHECK_NOTE(y[i] == (x[i] <= f.threshold ? below : above), note);
      if (i < 80) CHECK_NOTE(dx[i] == slope * dy[i], note);
    }
    CHECK(y[82] != y[82]);
  }
}

template <class T>
void test_sgd(const Kernels<T>& kernels) {
  constexpr int64_t n = 83;
  std::mt19937 bits(3);
  for (int kind = 0; kind < 3; ++kind) {
    const std::vector<T> g = random<T>(bits, n, false), v0 = random<T>(bits, n, false), w0 = random<T>(bits, n, false);
    std::vector<T> v = v0, w = w0;
    const double rate = 0.25, momentum = kind ? 0.5 : 0;
    if (kind == 0)
      kernels.sgd(n, T(rate), g.data(), w.data());
    else {
      std::vector<T> gradient = g;
      RuleArgs<T> a;
      a.n = n, a.g = gradient.data(), a.w = w.data(), a.slot[0] = v.data();
      a.rate = T(rate), a.momentum = T(momentum), a.nesterov = kind == 2;
      kernels.rule[static_cast<int>(Rule::momentum)](a);
    }
    for (size_t i = 0; i < g.size(); ++i) {
      const double speed = (kind ? momentum * double(v0[i]) : 0) - rate * double(g[i]);
      const double want = double(w0[i]) + (kind == 2 ? momentum * speed - rate * double(g[i]) : speed);
      CHECK(std::fabs(double(w[i]) - want) <= 4 * double(std::numeric_limits<T>::epsilon()));
      if (kind) CHECK(std::fabs(double(v[i]) - speed) <= 4 * double(std::numeric_limits<T>::epsilon()));
    }
  }
}

// The factors of dropout are those of the random stream's words, wherever a stretch of it begins and ends, over more
// elements than are drawn at once; and the seeds, steps and places that carry into a counter's upper words.
template <class T>
void test_dropout(const Kernels<T>& kernels) {
  const uint64_t seeds[] = {7, 0xFEDCBA9876543210u}, steps[] = {0, 0x100000003u};
  const uint64_t firsts[] = {0, 1, 2, 3, 4, 258, (uint64_t{1} << 34) - 3};
  for (const uint64_t seed : seeds)
    for (const uint64_t step : steps)
      for (const uint64_t first : firsts)
        for (const int64_t n : {0, 1, 3, 4, 5, 31, 253, 254, 255, 256, 257, 511, 515, 1027}) {
          std::vector<T> x(static_cast<size_t>(n), T(2)), y(static_cast<size_t>(n) + 2, T(9));
          std::vector<uint32_t> words(static_cast<size_t>(n));
          philox_words(seed, Purpose::dropout, step, first, n, words.data());
          const DropoutArgs<T> a{seed, step, first, 0x60000000u, T(1.5)};
          kernels.dropout(n, a, x.data(), y.data() + 1);
          bool same = y[0] == T(9) && y.back() == T(9);
          for (size_t i = 0; i < words.size(); ++i) same = same && y[i + 1] == (words[i] >= a.threshold ? T(3) : T(0));
          CHECK_NOTE(same, "first " + std::to_string(first) + ", n " + std::to_string(n));
        }
}

// The order of rows is the one that core/philox.h defines, at whichever length its draws end.
template <class T>
void test_permutation(const Kernels<T>& kernels) {
  for (const int64_t n : {0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 127, 128, 129, 130, 255, 256, 257, 1000, 4097}) {
    std::vector<int64_t> got(static_cast<size_t>(n)), want(static_cast<size_t>(n));
    for (const uint64_t seed : {uint64_t{5}, uint64_t{0xFEDCBA9876543210u}})
      for (const uint64_t epoch : {uint64_t{0}, uint64_t{0x100000003u}}) {
        kernels.permutation(seed, epoch, n, got.data());
        permutation(seed, epoch, n, want.data());
        CHECK_NOTE(got == want, "n " + std::to_string(n));
      }
  }
}

// Moments and sums of columns cut out of wider rows, as threads take them, are those of the whole, bit for bit; and of
// one row, or one that is constant, they are exact.
template <class T>
void test_columns(const Kernels<T>& kernels) {
  std::mt19937 bits(11);
  for (const int64_t n : {1, 7, 16, 33, 64, 130}) {
    const int64_t rows = 19;
    const size_t width = static_cast<size_t>(n);
    const std::vector<T> x = random<T>(bits, rows * n, false), dy = random<T>(bits, rows * n, false);
    std::vector<T> mean(width), variance(width), dgamma(width), dbeta(width), part(4 * width);
    kernels.column_moments(rows, n, n, x.data(), mean.data(), variance.data());
    kernels.column_norm_sums(rows, n, n, x.data(), mean.data(), variance.data(), dy.data(), dgamma.data(),
                             dbeta.data());
    for (int64_t cut = 0; cut < n; cut += 5) {
      const int64_t count = std::min<int64_t>(5, n - cut);
      T *m = part.data(), *v = m + n, *g = v + n, *b = g + n;
      kernels.column_moments(rows, count, n, x.data() + cut, m + cut, v + cut);
      kernels.column_norm_sums(rows, count, n, x.data() + cut, m + cut, v + cut, dy.data() + cut, g + cut, b + cut);
    }
    for (size_t c = 0; c < width; ++c) {
      CHECK(part[c] == mean[c] && part[width + c] == variance[c]);
      CHECK(part[2 * width + c] == dgamma[c] && part[3 * width + c] == dbeta[c]);
    }
    kernels.column_moments(1, n, n, x.data(), mean.data(), variance.data());
    for (size_t c = 0; c < width; ++c) CHECK(mean[c] == x[c] && variance[c] == 0);
    std::vector<T> moments(2), y(width);
    const std::vector<T> flat(width, T(3));
    kernels.row_moments(1, n, T(0.25), false, flat.data(), moments.data());
    CHECK(moments[0] == T(3) && moments[1] == T(2));
    kernels.row_norm_forward(1, n, T(0.25), false, flat.data(), nullptr, flat.data(), y.data());
    for (const T v : y) CHECK(v == T(3));
  }
}

// A NaN comes out of maximum and minimum wherever it stands, and takes no gradient; of equals, the first has it all.
template <class T>
void test_extremes(const Kernels<T>& kernels) {
  const T nan = std::numeric_limits<T>::quiet_NaN();
  const std::vector<T> a{1, nan, 2, 2, 5}, b{3, 1, nan, 2, 5}, c{2, 0, 1, 2, 7}, dy{1, 1, 1, 1, 1};
  const T* const x[] = {a.data(), b.data(), c.data()};
  std::vector<T> y(5), da(5), db(5), dc(5);
  T* const dx[] = {da.data(), db.data(), dc.data()};
  for (const Merge merge : {Merge::maximum, Merge::minimum}) {
    const bool most = merge == Merge::maximum;
    kernels.merge_forward[static_cast<int>(merge)](5, 3, x, y.data());
    CHECK(y[0] == (most ? 3 : 1) && y[1] != y[1] && y[2] != y[2] && y[3] == 2 && y[4] == (most ? 7 : 5));
    kernels.merge_backward[static_cast<int>(merge)](5, 3, x, y.data(), dy.data(), dx);
    const std::vector<T> first{T(most ? 0 : 1), 0, 0, 1, T(most ? 0 : 1)}, second{T(most ? 1 : 0), 0, 0, 0, 0},
        third{0, 0, 0, 0, T(most ? 1 : 0)};
    CHECK(da == first && db == second && dc == third);
  }
}

// What the chains of fma_peak add up to: a <- a / 2 + 1 three times from 1 + i, exact.
template <class T>
void test_peak(const Kernels<T>& kernels) {
  const int64_t chains = kernels.isa == Isa::avx512 || kernels.isa == Isa::neon ? 24 : 12;
  const int64_t lanes = kernels.fma_peak_flops / (2 * chains);
  CHECK(lanes > 0 && kernels.fma_peak_flops == 2 * chains * lanes);
  double want = 0;
  for (int64_t i = 0; i < chains; ++i) want += double(lanes) * (double(1 + i) / 8 + 1.75);
  CHECK(double(kernels.fma_peak(3, T(0.5), T(1))) == want);
}

template <class T>
void test_all(Isa isa) {
  const Kernels<T>& k = kernels<T>(isa);
  test_gemm(k);
  test_few(k);
  test_arrays(k);
  test_activations(k);
  test_piecewise(k);
  test_sgd(k);
  test_permutation(k);
  test_dropout(k);
  test_columns(k);
  test_extremes(k);
  test_peak(k);
}

}  // namespace
}  // namespace netlet

int main(int argc, char** argv) {  // of all, or the instruction set named
  using namespace netlet;
  for (Isa isa : kAllIsas) {
    if (!built(isa) || !supported(isa) || (argc > 1 && parse(argv[1]) != isa)) continue;
    std::printf("%s\n", name(isa));
    test_all<float>(isa);
    test_all<double>(isa);
  }
  return test::report("kernels");
}
