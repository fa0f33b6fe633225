// Losses with their gradients: value and gradient in one pass over the prediction.
//
// Each kernel takes LossArgs (kernels.h). For row r with weight w (1 where there are none) and positions p:
//   row_loss[r] = w * mean over p of l(r, p);   gradient = scale * w / P * dl/dprediction.
// With prediction x, target y, classes C, and clip(q) = min(max(q, 1e-7), 1 - 1e-7) whose gradient is 0 where it cuts:
//   mean_squared_error      l = mean over c of (x - y)^2
//   mean_absolute_error     l = mean over c of |x - y|, dl = 0 where x = y
//   binary_crossentropy     l = -mean over c of (y log q + (1 - y) log(1 - q)), q = clip(x), or q = sigmoid(x) for
//   logits categorical_crossentropy   l = -sum over c of y log q, q = clip(x / sum x), or q = softmax(x) for logits
//   huber                   l = mean over c of capped (|x - y| - capped / 2), capped = min(|x - y|, delta)
//   log_cosh                l = mean over c of |d| + log1p(exp(-2 |d|)) - log 2, d = x - y; dl = tanh(d)
//   poisson                 l = mean over c of x - y log(x + 1e-7)
//   mean_absolute_percent.. l = mean over c of 100 |x - y| / max(|y|, 1e-7)
//   mean_squared_logarit..  l = mean over c of (log1p(max(x, 1e-7)) - log1p(max(y, 1e-7)))^2
//   kl_divergence           l = sum over c of y log(y / x), both cut to [1e-7, 1]
//   sparse_categorical_...  l = -log q_label, q = clip(x), or q = softmax(x) for logits; NaN where label is not in [0,
//   C)
#pragma once

#include "kernels/softmax.inl"

namespace netlet {
namespace {

inline constexpr double kEpsilon = 1e-7;

// Runs one(x, y, factor, probabilities, gradient) -> l over each position, with factor = scale * w / P.
template <class T, class Target, class One>
static NL_FN void for_positions(const LossArgs<T>& a, int64_t target_width, One one) {
  const T* x = a.prediction;
  const Target* y = static_cast<const Target*>(a.target);
  T* probabilities = a.probabilities;
  T* gradient = a.gradient;
  for (int64_t r = 0; r < a.rows; ++r) {
    const T w = a.weight ? a.weight[r] : T(1);
    const T factor = a.scale * w / static_cast<T>(a.positions);
    double sum = 0;
    for (int64_t p = 0; p < a.positions; ++p) {
      sum += static_cast<double>(one(x, y, factor, probabilities, gradient));
      x += a.classes;
      y += target_width;
      if (probabilities) probabilities += a.classes;
      if (gradient) gradient += a.classes;
    }
    a.row_loss[r] = static_cast<double>(w) * sum / static_cast<double>(a.positions);
  }
}

// mean_loss of rows of one element, a row a lane: the same operations, and so the same bits, as below.
template <class Rule, class T>
static NL_FN void scalar_mean_loss(const LossArgs<T>& a) {
  using vec = Vec<T>;
  constexpr int64_t L = vec::lanes;
  const T *x = a.prediction, *y = static_cast<const T*>(a.target);
  const vec scale(a.scale), one(T(1)), delta(a.delta);
  for (int64_t r = 0; r < a.rows; r += L) {
    const int64_t n = a.rows - r < L ? a.rows - r : L;
    const auto mask = vec::first(n);
    const vec xr = vec::load(x + r, mask), yr = vec::load(y + r, mask);
    const vec w = a.weight ? vec::load(a.weight + r, mask) : one;
    if constexpr (Rule::makes_probabilities)
      if (a.probabilities) sigmoid(xr).store(a.probabilities + r, mask);
    if (a.gradient) (scale * w * Rule::gradient(xr, yr, delta)).store(a.gradient + r, mask);
    T value[L], weight[L];
    Rule::value(xr, yr, delta).store(value);
    w.store(weight);
    for (int64_t i = 0; i < n; ++i) a.row_loss[r + i] = static_cast<double>(weight[i]) * static_cast<double>(value[i]);
  }
}

// Elementwise losses, a mean or a sum over C: Rule::value(x, y, delta) and Rule::gradient(x, y, delta).
template <class Rule, class T>
static void mean_loss(const LossArgs<T>& a) {
  using vec = Vec<T>;
  const int64_t c = a.classes;
  if (c == 1 && a.positions == 1) return scalar_mean_loss<Rule>(a);
  const T share = Rule::averages ? static_cast<T>(c) : T(1);
  const vec delta(a.delta);
  for_positions<T, T>(a, c, [&](const T* x, const T* y, T factor, T* probabilities, T* gradient) {
    if constexpr (Rule::makes_probabilities)
      if (probabilities) for_lanes<T>(c, [&](auto load, auto store) { store(probabilities, sigmoid(load(x))); });
    if (gradient) {
      const vec f(factor / share);
      for_lanes<T>(c, [&](auto load, auto store) { store(gradient, f * Rule::gradient(load(x), load(y), delta)); });
    }
    return row_sum<T>(c, [&](auto load) { return Rule::value(load(x), load(y), delta); }) / share;
  });
}

struct MeanSquaredError {
  static constexpr bool makes_probabilities = false, averages = true;
  template <class V> static NL_FN V value(V x, V y, V) { return (x - y) * (x - y); }
  template <class V> static NL_FN V gradient(V x, V y, V) { return V(2) * (x - y); }
};

struct MeanAbsoluteError {
  static constexpr bool makes_probabilities = false, averages = true;
  template <class V> static NL_FN V value(V x, V y, V) { return abs(x - y); }
  template <class V> static NL_FN V gradient(V x, V y, V) {
    const V d = x - y;
    return select(d > V(0), V(1), select(d < V(0), V(-1), d));  // d is 0, or NaN and stays one
  }
};

struct BinaryCrossentropy {
  static constexpr bool makes_probabilities = false, averages = true;
  template <class V> static NL_FN V clip(V x) { return min(V(1 - kEpsilon), max(V(kEpsilon), x)); }
  template <class V> static NL_FN V value(V x, V y, V) {
    const V q = clip(x);
    return -(y * log(q) + (V(1) - y) * log(V(1) - q));
  }
  template <class V> static NL_FN V gradient(V x, V y, V) {
    const V q = clip(x);
    return select((x < V(kEpsilon)) | (x > V(1 - kEpsilon)), V(0), (q - y) / (q * (V(1) - q)));
  }
};

struct BinaryCrossentropyLogits {
  static constexpr bool makes_probabilities = true, averages = true;
  template <class V> static NL_FN V value(V x, V y, V) { return (max(V(0), x) - x * y) + log1p(exp(-abs(x))); }
  template <class V> static NL_FN V gradient(V x, V y, V) { return sigmoid(x) - y; }
};

struct HuberLoss {
  static constexpr bool makes_probabilities = false, averages = true;
  template <class V> static NL_FN V value(V x, V y, V delta) {
    const V size = abs(x - y), capped = min(delta, size);
    return (size - V(0.5) * capped) * capped;
  }
  template <class V> static NL_FN V gradient(V x, V y, V delta) {
    const V d = x - y, capped = min(delta, abs(d));
    return select(d < V(0), -capped, capped);
  }
};

struct LogCoshLoss {
  static constexpr bool makes_probabilities = false, averages = true;
  template <class V> static NL_FN V value(V x, V y, V) {
    const V size = abs(x - y);
    return (log1p(exp(V(-2) * size)) - V(0.69314718055994530942)) + size;
  }
  template <class V> static NL_FN V gradient(V x, V y, V) { return tanh(x - y); }
};

struct PoissonLoss {
  static constexpr bool makes_probabilities = false, averages = true;
  template <class V> static NL_FN V value(V x, V y, V) { return x - y * log(x + V(kEpsilon)); }
  template <class V> static NL_FN V gradient(V x, V y, V) { return V(1) - y / (x + V(kEpsilon)); }
};

struct PercentageLoss {
  static constexpr bool makes_probabilities = false, averages = true;
  template <class V> static NL_FN V size(V y) { return max(V(kEpsilon), abs(y)); }
  template <class V> static NL_FN V value(V x, V y, V) { return abs(x - y) / size(y) * V(100); }
  template <class V> static NL_FN V gradient(V x, V y, V delta) {
    return MeanAbsoluteError::gradient(x, y, delta) * V(100) / size(y);
  }
};

struct LogarithmicLoss {
  static constexpr bool makes_probabilities = false, averages = true;
  template <class V> static NL_FN V distance(V x, V y) {
    return log1p(max(V(kEpsilon), x)) - log1p(max(V(kEpsilon), y));
  }
  template <class V> static NL_FN V value(V x, V y, V) {
    const V d = distance(x, y);
    return d * d;
  }
  template <class V> static NL_FN V gradient(V x, V y, V) {  // a NaN stays one where it is multiplied by 0
    const V slope = V(2) * distance(x, y) / (max(V(kEpsilon), x) + V(1));
    return slope * select(x > V(kEpsilon), V(1), V(0));
  }
};

struct KullbackLeibler {
  static constexpr bool makes_probabilities = false, averages = false;
  template <class V> static NL_FN V clip(V x) { return min(V(1), max(V(kEpsilon), x)); }
  template <class V> static NL_FN V value(V x, V y, V) { return clip(y) * log(clip(y) / clip(x)); }
  template <class V> static NL_FN V gradient(V x, V y, V) {
    return -(clip(y) / clip(x)) * select((x >= V(kEpsilon)) & (x <= V(1)), V(1), V(0));
  }
};

template <class T>
static void categorical_crossentropy(const LossArgs<T>& a) {
  using vec = Vec<T>;
  const int64_t c = a.classes;
  const vec low(static_cast<T>(kEpsilon)), high(static_cast<T>(1 - kEpsilon));
  for_positions<T, T>(a, c, [&](const T* x, const T* y, T factor, T*, T* gradient) {
    const vec sum(row_sum<T>(c, [&](auto load) { return load(x); }));
    auto clip = [&](vec q) { return min(high, max(low, q)); };
    if (gradient) {
      // dl/dq = -y / q where unclipped; then through q = x / sum: dx = (dq - sum over c of dq q) / sum.
      auto dq = [&](vec q, vec target) { return select((q < low) | (q > high), vec(T(0)), -target / q); };
      const vec inner(row_sum<T>(c, [&](auto load) {
        const vec q = load(x) / sum;
        return dq(q, load(y)) * q;
      }));
      const vec f(factor);
      for_lanes<T>(c,
                   [&](auto load, auto store) { store(gradient, f * ((dq(load(x) / sum, load(y)) - inner) / sum)); });
    }
    return -row_sum<T>(c, [&](auto load) { return load(y) * log(clip(load(x) / sum)); });
  });
}

// l = sum over c of y (log sum exp(x) - x); gradient = factor * (softmax(x) * sum y - y)
template <class T>
static void categorical_crossentropy_logits(const LossArgs<T>& a) {
  using vec = Vec<T>;
  const int64_t c = a.classes;
  for_positions<T, T>(a, c, [&](const T* x, const T* y, T factor, T* probabilities, T* gradient) {
    LogSumExp<T> lse;
    if (T* q = gradient ? gradient : probabilities) {
      lse = softmax_row(c, x, q);
      if (probabilities && q != probabilities)
        for_lanes<T>(c, [&](auto load, auto store) { store(probabilities, load(q)); });
    } else {
      lse = log_sum_exp(c, x);
    }
    if (gradient) {
      const vec f(factor), total(row_sum<T>(c, [&](auto load) { return load(y); }));
      for_lanes<T>(c, [&](auto load, auto store) { store(gradient, f * (load(gradient) * total - load(y))); });
    }
    const vec top(lse.top), log_sum(lse.log_sum);
    return row_sum<T>(c, [&](auto load) { return load(y) * (log_sum - (load(x) - top)); });
  });
}

template <class T>
static void sparse_categorical_crossentropy(const LossArgs<T>& a) {
  const int64_t c = a.classes;
  for_positions<T, int32_t>(a, 1, [&](const T* x, const int32_t* label, T factor, T*, T* gradient) {
    const bool known = *label >= 0 && *label < c;
    const T low = static_cast<T>(kEpsilon), high = static_cast<T>(1 - kEpsilon);
    const T q = known ? x[*label] : static_cast<T>(__builtin_nan(""));
    if (gradient) {
      for_lanes<T>(c, [&](auto, auto store) { store(gradient, Vec<T>(known ? T(0) : q)); });
      if (known && !(q < low || q > high)) gradient[*label] = -factor / q;
    }
    return -log_scalar(q < low ? low : q > high ? high : q);
  });
}

// sparse_categorical_crossentropy_logits of rows that a register holds, whose softmax somebody wants: the same
// operations, but the logarithms of as many positions at once as there are lanes.
template <class T>
static NL_FN void short_sparse_logits(const LossArgs<T>& a) {
  using vec = Vec<T>;
  constexpr int64_t L = vec::lanes;
  const int64_t c = a.classes;
  const auto row = vec::first(c);
  T sums[L], above[L], values[L];  // above: x_label - max x
  vec(T(1)).store(sums), vec(T(0)).store(above);
  int64_t pending = 0, next = 0, position = 0;  // positions whose logarithm is due; the row and position it goes to
  double sum = 0;
  auto settle = [&] {
    (log(vec::load(sums)) - vec::load(above)).store(values);
    for (int64_t i = 0; i < pending; ++i) {
      sum += static_cast<double>(values[i]);
      if (++position < a.positions) continue;
      const T w = a.weight ? a.weight[next] : T(1);
      a.row_loss[next++] = static_cast<double>(w) * sum / static_cast<double>(a.positions);
      position = 0, sum = 0;
    }
    pending = 0;
  };
  const T* x = a.prediction;
  const int32_t* label = static_cast<const int32_t*>(a.target);
  for (int64_t r = 0, at = 0; r < a.rows; ++r) {
    const T factor = a.scale * (a.weight ? a.weight[r] : T(1)) / static_cast<T>(a.positions);
    for (int64_t p = 0; p < a.positions; ++p, ++label, x += c, at += c) {
      const bool known = *label >= 0 && *label < c;
      const T nan = static_cast<T>(__builtin_nan(""));
      const ShortSoftmax<T> s = short_softmax(c, x);
      if (a.probabilities) s.y.store(a.probabilities + at, row);
      if (a.gradient) {
        T q[L];
        s.y.store(q);
        (vec(known ? factor : nan) * s.y).store(a.gradient + at, row);
        if (known) a.gradient[at + *label] = factor * (q[*label] - T(1));
      }
      sums[pending] = s.sum;
      above[pending] = known ? x[*label] - s.top : nan;
      if (++pending == L) settle();
    }
  }
  settle();
}

// l = log sum exp(x) - x_label; gradient = factor * (softmax(x) - one_hot(label))
template <class T>
static void sparse_categorical_crossentropy_logits(const LossArgs<T>& a) {
  const int64_t c = a.classes;
  if (c <= Vec<T>::lanes && (a.gradient || a.probabilities)) return short_sparse_logits(a);
  for_positions<T, int32_t>(a, 1, [&](const T* x, const int32_t* label, T factor, T* probabilities, T* gradient) {
    using vec = Vec<T>;
    const bool known = *label >= 0 && *label < c;
    const T nan = static_cast<T>(__builtin_nan(""));
    LogSumExp<T> lse;
    if (T* q = gradient ? gradient : probabilities) {
      lse = softmax_row(c, x, q);
      if (probabilities && q != probabilities)
        for_lanes<T>(c, [&](auto load, auto store) { store(probabilities, load(q)); });
    } else {
      lse = log_sum_exp(c, x);
    }
    if (gradient) {
      if (known) gradient[*label] -= T(1);
      const vec f(known ? factor : nan);
      for_lanes<T>(c, [&](auto load, auto store) { store(gradient, f * load(gradient)); });
    }
    return known ? lse.log_sum - (x[*label] - lse.top) : nan;
  });
}

}  // namespace
}  // namespace netlet
