// Elementwise activations: each one written once, forward beside backward, for every ISA (and V = float in CUDA).
//
//   forward(x, alpha) -> y
//   backward(x, y, dy, alpha) -> dx = dy * y'(x).  x is not read by those for which gradient_from_output(act) holds.
#pragma once

#include "kernels/elementwise.inl"
#include "kernels/kernels.h"
#include "simd/math.h"
#include "simd/vec.h"

namespace netlet {
namespace {

struct Linear {
  template <class V> static NL_FN V forward(V x, V) { return x; }
  template <class V> static NL_FN V backward(V, V, V dy, V) { return dy; }
};

struct Relu {  // a NaN stays one: max returns its second operand where they are unordered
  template <class V> static NL_FN V forward(V x, V) { return max(V(0), x); }
  template <class V> static NL_FN V backward(V, V y, V dy, V) { return select(y > V(0), dy, V(0)); }
};

struct LeakyRelu {
  template <class V> static NL_FN V forward(V x, V alpha) { return select(x > V(0), x, alpha * x); }
  template <class V> static NL_FN V backward(V, V y, V dy, V alpha) { return select(y > V(0), dy, alpha * dy); }
};

struct Elu {  // min(0, x) keeps a NaN.
  // Clevert, Unterthiner & Hochreiter (2016), arXiv:1511.07289, eq. 15
  template <class V> static NL_FN V forward(V x, V alpha) { return select(x > V(0), x, alpha * expm1(min(V(0), x))); }
  template <class V> static NL_FN V backward(V, V y, V dy, V alpha) { return select(y > V(0), dy, dy * (y + alpha)); }
};

struct Selu {  // Klambauer et al. (2017), arXiv:1706.02515, eq. 2, with its two constants
  static constexpr double scale = 1.0507009873554804934193349852946, alpha = 1.6732632423543772848170429916717;
  template <class V> static NL_FN V forward(V x, V) {
    return V(scale) * select(x > V(0), x, V(alpha) * expm1(min(V(0), x)));
  }
  template <class V> static NL_FN V backward(V, V y, V dy, V) {
    return dy * select(y > V(0), V(scale), y + V(scale * alpha));
  }
};

struct Sigmoid {
  template <class V> static NL_FN V forward(V x, V) { return sigmoid(x); }
  template <class V> static NL_FN V backward(V, V y, V dy, V) { return dy * (y * (V(1) - y)); }
};

struct Tanh {
  template <class V> static NL_FN V forward(V x, V) { return tanh(x); }
  template <class V> static NL_FN V backward(V, V y, V dy, V) { return dy * fnma(y, y, V(1)); }
};

struct Exponential {
  template <class V> static NL_FN V forward(V x, V) { return exp(x); }
  template <class V> static NL_FN V backward(V, V y, V dy, V) { return dy * y; }
};

struct HardSigmoid {  // clip(x / 6 + 1 / 2, 0, 1)
  template <class V> static NL_FN V forward(V x, V) { return min(V(1), max(V(0), fma(x, V(1.0 / 6), V(0.5)))); }
  template <class V> static NL_FN V backward(V, V y, V dy, V) {
    return select((y > V(0)) & (y < V(1)), dy * V(1.0 / 6), V(0));
  }
};

struct Relu6 {
  template <class V> static NL_FN V forward(V x, V) { return min(V(6), max(V(0), x)); }
  template <class V> static NL_FN V backward(V, V y, V dy, V) { return select((y > V(0)) & (y < V(6)), dy, V(0)); }
};

struct Celu {  // Barron (2017), arXiv:1704.07483; alpha > 0
  template <class V> static NL_FN V forward(V x, V alpha) {
    return select(x > V(0), x, alpha * expm1(min(V(0), x) / alpha));
  }
  template <class V> static NL_FN V backward(V, V y, V dy, V alpha) {
    return select(y > V(0), dy, dy * (y / alpha + V(1)));
  }
};

struct Squareplus {  // Barron (2021), arXiv:2112.11687: (x + sqrt(x^2 + b)) / 2, which would cancel where x < 0
  template <class V> static NL_FN V forward(V x, V b) {
    const V sum = sqrt(fma(x, x, b)) + abs(x);
    return select(x < V(0), V(0.5) * b / sum, V(0.5) * sum);
  }
  template <class V> static NL_FN V backward(V, V y, V dy, V b) {  // y / sqrt(x^2 + b), where the root is y + b / (4 y)
    return select(y > V(0), dy / (V(1) + V(0.25) * b / y / y), V(0));
  }
};

struct SoftShrink {
  template <class V> static NL_FN V forward(V x, V alpha) { return x - max(-alpha, min(alpha, x)); }
  template <class V> static NL_FN V backward(V, V y, V dy, V) { return select(y == V(0), V(0), dy); }
};

struct HardShrink {
  template <class V> static NL_FN V forward(V x, V alpha) { return select(abs(x) <= alpha, V(0), x); }
  template <class V> static NL_FN V backward(V, V y, V dy, V) { return select(y == V(0), V(0), dy); }
};

struct SparsePlus {  // ((x + 1) / 2)^2 between -1 and 1, whose slope is its root
  template <class V> static NL_FN V forward(V x, V) {
    const V root = fma(max(V(-1), min(V(1), x)), V(0.5), V(0.5));
    return select(x < V(1), root * root, x);
  }
  template <class V> static NL_FN V backward(V, V y, V dy, V) { return dy * sqrt(min(V(1), y)); }
};

struct HardTanh {
  template <class V> static NL_FN V forward(V x, V) { return max(V(-1), min(V(1), x)); }
  template <class V> static NL_FN V backward(V, V y, V dy, V) { return select((y > V(-1)) & (y < V(1)), dy, V(0)); }
};

struct SparseSigmoid {
  template <class V> static NL_FN V forward(V x, V) { return fma(max(V(-1), min(V(1), x)), V(0.5), V(0.5)); }
  template <class V> static NL_FN V backward(V, V y, V dy, V) {
    return select((y > V(0)) & (y < V(1)), V(0.5) * dy, V(0));
  }
};

struct LogSigmoid {
  template <class V> static NL_FN V forward(V x, V) { return min(V(0), x) - log1p(exp(-abs(x))); }
  template <class V> static NL_FN V backward(V, V y, V dy, V) { return -dy * expm1(y); }
};

struct Softplus {
  template <class V> static NL_FN V forward(V x, V) { return max(V(0), x) + log1p(exp(-abs(x))); }
  template <class V> static NL_FN V backward(V x, V, V dy, V) { return dy * sigmoid(x); }
};

struct Softsign {
  template <class V> static NL_FN V forward(V x, V) { return x / (V(1) + abs(x)); }
  template <class V> static NL_FN V backward(V x, V, V dy, V) {
    const V d = V(1) + abs(x);
    return dy / (d * d);
  }
};

struct Gelu {  // Hendrycks & Gimpel (2016), arXiv:1606.08415: x Phi(x)
  static constexpr double root_half = 0.70710678118654752440, root_half_over_pi = 0.39894228040143267794;
  template <class V> static NL_FN V forward(V x, V) { return V(0.5) * x * (V(1) + erf(x * V(root_half))); }
  template <class V> static NL_FN V backward(V x, V, V dy, V) {
    const V cdf = V(0.5) * (V(1) + erf(x * V(root_half)));
    const V pdf = V(root_half_over_pi) * exp(V(-0.5) * (x * x));
    return dy * fma(x, pdf, cdf);
  }
};

struct GeluTanh {  // the same paper's section 2: 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
  static constexpr double k = 0.79788456080286535588, c = 0.044715;
  template <class V> static NL_FN V forward(V x, V) {
    const V u = V(k) * x * fma(V(c), x * x, V(1));
    return V(0.5) * x * (V(1) + tanh(u));
  }
  template <class V> static NL_FN V backward(V x, V, V dy, V) {
    const V xx = x * x;
    const V t = tanh(V(k) * x * fma(V(c), xx, V(1)));
    const V du = V(k) * fma(V(3 * c), xx, V(1));
    return dy * fma(V(0.5) * x * fnma(t, t, V(1)), du, V(0.5) * (V(1) + t));
  }
};

struct Silu {  // Elfwing, Uchibe & Doya (2017), arXiv:1702.03118
  template <class V> static NL_FN V forward(V x, V) { return x * sigmoid(x); }
  template <class V> static NL_FN V backward(V x, V, V dy, V) {
    const V s = sigmoid(x);
    return dy * (s * fma(x, V(1) - s, V(1)));
  }
};

struct HardSilu {  // Howard et al. (2019), arXiv:1905.02244: hard swish
  template <class V> static NL_FN V forward(V x, V) { return x * min(V(1), max(V(0), fma(x, V(1.0 / 6), V(0.5)))); }
  template <class V> static NL_FN V backward(V x, V, V dy, V) {
    return select(x <= V(-3), V(0), select(x < V(3), dy * fma(x, V(1.0 / 3), V(0.5)), dy));
  }
};

struct TanhShrink {
  template <class V> static NL_FN V forward(V x, V) { return x - tanh(x); }
  template <class V> static NL_FN V backward(V x, V, V dy, V) {
    const V t = tanh(x);
    return dy * (t * t);
  }
};

struct Mish {  // Misra (2019), arXiv:1908.08681: x tanh(softplus x) = x n / (n + 2), n = e (e + 2), e = exp(x)
  static constexpr double flat = 20;  // from where on tanh(softplus x) is 1 in float and double
  template <class V> static NL_FN V forward(V x, V) {
    const V e = exp(min(V(flat), x)), n = e * (e + V(2));
    return x * (n / (n + V(2)));
  }
  template <class V> static NL_FN V backward(V x, V, V dy, V) {
    const V e = exp(min(V(flat), x)), n = e * (e + V(2)), d = n + V(2);
    const V slope = fma(x, V(4) * e * (e + V(1)) / (d * d), n / d);
    return select(x < V(flat), dy * slope, dy);
  }
};

template <class A, class T>
static void act_forward(int64_t n, T alpha, const T* x, T* y) {
  for_pairs<T>(n, [&](auto load, auto store) {
    using V = decltype(load(x));
    store(y, A::forward(load(x), V(alpha)));
  });
}

template <class A, bool NeedsX, class T>
static void act_backward(int64_t n, T alpha, const T* x, const T* y, const T* dy, T* dx) {
  for_pairs<T>(n, [&](auto load, auto store) {
    using V = decltype(load(x));
    store(dx, A::backward(load(NeedsX ? x : y), load(y), load(dy), V(alpha)));
  });
}

}  // namespace
}  // namespace netlet
