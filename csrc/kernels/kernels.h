// The table of inner loops that each ISA provides, and their preconditions.
//
// One `Kernels<T>` per ISA and element type; the executor picks a table once and calls through it. Every entry is
// noexcept in effect: kernels neither allocate, throw, thread, nor know Python. All pointers are to elements, any
// alignment; sizes may be 0. Unless said otherwise, outputs are overwritten and do not alias inputs.
#pragma once

#include <cstdint>

#include "core/isa.h"

namespace netlet {

// Elementwise activations, by the names and in the order of `activation_name`. The first group has gradients that
// follow from y alone, so that it can be the epilogue of a dense op; the second needs x.
enum class Act : int {
  linear,
  relu,
  leaky_relu,
  elu,
  selu,
  sigmoid,
  tanh,
  exponential,
  hard_sigmoid,
  relu6,
  celu,
  squareplus,
  soft_shrink,
  hard_shrink,
  sparse_plus,
  hard_tanh,
  sparse_sigmoid,
  log_sigmoid,  // gradient from y
  softplus,
  softsign,
  gelu,
  gelu_tanh,
  silu,
  hard_silu,
  tanh_shrink,
  mish,  // gradient from x
};
inline constexpr int kActCount = 26;
inline constexpr bool gradient_from_output(Act act) {
  return static_cast<int>(act) <= static_cast<int>(Act::log_sigmoid);
}

// x <= threshold ? (scale ? scale (x - threshold) : value) : clip(x, low, high): relu with all its arguments, and
// threshold. See csrc/kernels/piecewise.inl.
template <class T>
struct Piecewise {
  T threshold, scale, value, low, high;
};

// What several values of a row are joined by; see csrc/kernels/merge.inl.
enum class Merge : int { add, subtract, multiply, average, maximum, minimum };
inline constexpr int kMergeCount = 6;

// Which elements of a stretch stay, and what those are multiplied by; see csrc/kernels/dropout.inl.
template <class T>
struct DropoutArgs {
  uint64_t seed, step, first;  // of the random stream; the first element's number in it
  uint32_t threshold;          // an element stays where its word is no less
  T scale;
};

enum class LossKind : int {
  mean_squared_error,
  mean_absolute_error,
  binary_crossentropy,
  binary_crossentropy_logits,
  categorical_crossentropy,
  categorical_crossentropy_logits,
  sparse_categorical_crossentropy,
  sparse_categorical_crossentropy_logits,
  huber,
  log_cosh,
  poisson,
  mean_absolute_percentage_error,
  mean_squared_logarithmic_error,
  kl_divergence,
};
inline constexpr int kLossCount = 14;
inline constexpr bool sparse_labels(LossKind kind) {
  return kind == LossKind::sparse_categorical_crossentropy || kind == LossKind::sparse_categorical_crossentropy_logits;
}

// c[M,N] = init + a[M,K] b[K,N], each element summed over k = 0, 1, ..., K-1 in that one order, whatever the tile.
// a and b lie by rows or by columns: of each one's two strides one is 1. c is row-major with row stride ldc.
template <class T>
struct GemmArgs {
  int64_t m, n, k;
  const T* a;
  int64_t a_row, a_col;  // strides of a in elements
  const T* b;
  int64_t b_row, b_col;
  T* c;
  int64_t ldc;
  const T* bias = nullptr;  // [N]: init is bias
  bool accumulate = false;  // init is c itself (bias must be null); otherwise init is 0
  bool relu = false;        // c <- max(0, c) once summed
  T* scratch = nullptr;     // Kernels::gemm_scratch(m, n, k) elements; needed where gemm_packs(args)
  // What gemm_pack made of a b of packed_n columns; this b, then not read, begins at its column packed_from, a multiple
  // of Kernels::nr.
  const T* packed_b = nullptr;
  int64_t packed_n = 0, packed_from = 0;
  // [M,N] like c: weights <- weights - rate * what c would be. c then holds partial sums at most.
  T* weights = nullptr;
  T rate = 0;
};

// The gradients of a dense layer of few inputs and outputs; see csrc/kernels/dense_few.inl.
template <class T>
struct FewGradients {
  int64_t rows, inputs, outputs;
  const T* x;   // [R,I]
  const T* dz;  // [R,O]
  T* dw;        // [I,O]
  T* dbias;     // [O], or null where there is no bias
  bool accumulate = false;
  T* weights = nullptr;  // [I,O] and [O]: a step of gradient descent is made in them, and dw and dbias aren't written
  T* bias = nullptr;
  T rate = 0;
};

// One loss over rows[R] x positions[P] x classes[C]; see csrc/kernels/loss.inl for each formula.
template <class T>
struct LossArgs {
  int64_t rows, positions, classes;
  const T* prediction;  // [R,P,C]: probabilities, logits or values, as the kind says
  const void* target;   // [R,P,C] of T, or [R,P] of int32 for sparse kinds
  const T* weight;      // [R] or null
  T scale;              // the factor of the gradient common to all rows: 1 / (batch rows)
  T* probabilities;     // [R,P,C] or null: written by the kinds on logits
  T* gradient;          // [R,P,C] or null
  double* row_loss;     // [R]: weight times the mean loss of the row
  T delta = 1;          // of huber
};

// The rules of the optimizers that go element by element (lamb, adafactor and muon: a part of theirs).
enum class Rule : int {
  momentum,
  adam,
  adamax,
  nadam,
  schedule_free,
  lamb,
  lion,
  muon,
  rmsprop,
  adagrad,
  adadelta,
  ftrl,
  adafactor,
};
inline constexpr int kRuleCount = 13;

// One pass of a rule over n elements; see csrc/kernels/optimizer*.inl for each formula and its slots.
template <class T>
struct RuleArgs {
  int64_t n = 0;
  T* g = nullptr;  // the gradient; lamb, muon and adafactor write the direction of their step here, and leave w alone
  T* w = nullptr;
  T* slot[3] = {};
  T rate = 0, rate_g = 0;  // the learning rate, with bias corrections where they are a factor
  T share = 0;             // schedule_free: what the average of the iterates takes of the newest
  T beta_1 = 0, fresh_1 = 0, beta_2 = 0, fresh_2 = 0;  // what an average keeps, and the share of what is new
  T correction_1 = 0, correction_2 = 0;                // factors of averages
  T epsilon = 0, momentum = 0;
  T power = 0, l1 = 0, l2 = 0, shrinkage = 0;  // ftrl
  bool nesterov = false, amsgrad = false, centered = false;
};

template <class T>
struct Kernels {
  Isa isa;
  int64_t mr, nr;  // the register tile of gemm: MR rows by NR columns
  bool (*gemm_packs)(const GemmArgs<T>&);
  int64_t (*gemm_scratch)(int64_t m, int64_t n, int64_t k);  // elements of packing space for one call, at most
  void (*gemm)(const GemmArgs<T>&);
  int64_t (*gemm_packed_size)(int64_t n, int64_t k);  // elements that gemm_pack writes
  void (*gemm_pack)(int64_t k, int64_t n, const T* b, int64_t b_row, int64_t b_col, T* packed);

  // A dense layer of 1 .. few_inputs inputs and 0 .. few_outputs outputs, in less time than by gemm and with its bits.
  int64_t few_inputs, few_outputs;
  void (*few_forward)(int64_t rows, int64_t inputs, int64_t outputs, const T* x, const T* w, const T* bias, bool relu,
                      T* y);
  void (*few_gradients)(const FewGradients<T>&);

  void (*transpose)(int64_t m, int64_t n, const T* x, T* y);  // y[N,M] <- x[M,N]
  // sums[N] <- (accumulate ? sums : 0) + sum over m of x[M,N], in order of m. ldx is x's row stride.
  void (*column_sums)(int64_t m, int64_t n, const T* x, int64_t ldx, T* sums, bool accumulate);
  void (*add)(int64_t n, const T* x, T* y);  // y <- y + x

  // y[N] <- act(x[N]); y may be x.     dx[N] <- dy * act'(x); dx may be dy; x is not read where gradient_from_output.
  void (*act_forward[kActCount])(int64_t n, T alpha, const T* x, T* y);
  void (*act_backward[kActCount])(int64_t n, T alpha, const T* x, const T* y, const T* dy, T* dx);

  // The same for f.
  void (*piecewise_forward)(int64_t n, const Piecewise<T>& f, const T* x, T* y);
  void (*piecewise_backward)(int64_t n, const Piecewise<T>& f, const T* x, const T* dy, T* dx);

  void (*softmax_forward)(int64_t rows, int64_t c, const T* x, T* y);
  void (*softmax_backward)(int64_t rows, int64_t c, const T* y, const T* dy, T* dx);
  void (*log_softmax_forward)(int64_t rows, int64_t c, const T* x, T* y);
  void (*log_softmax_backward)(int64_t rows, int64_t c, const T* y, const T* dy, T* dx);

  // y[N] <- the merge of x[0], ..., x[count-1] [N], count > 1; and dx[i] [N] <- its gradient where dx[i] isn't null.
  void (*merge_forward[kMergeCount])(int64_t n, int count, const T* const* x, T* y);
  void (*merge_backward[kMergeCount])(int64_t n, int count, const T* const* x, const T* y, const T* dy, T* const* dx);

  // Rows of n elements, each with its alpha, scale or offset (or null, for 0): y <- x > 0 ? x : alpha * x, its
  // gradient, and sums[N] <- (accumulate ? sums : 0) + sum over the rows, ld apart, of dy * min(x, 0); y <- x * scale +
  // offset.
  void (*prelu_forward)(int64_t rows, int64_t n, const T* alpha, const T* x, T* y);
  void (*prelu_backward)(int64_t rows, int64_t n, const T* alpha, const T* x, const T* dy, T* dx);
  void (*prelu_sums)(int64_t rows, int64_t n, int64_t ld, const T* x, const T* dy, T* sums, bool accumulate);
  void (*affine)(int64_t rows, int64_t n, const T* scale, const T* offset, const T* x, T* y);

  void (*permutation)(uint64_t seed, uint64_t epoch, int64_t n, int64_t* order);  // as in core/philox.h
  void (*dropout)(int64_t n, const DropoutArgs<T>& a, const T* x, T* y);          // y may be x

  // Normalized rows, and columns: see csrc/kernels/normalization.inl. gamma and beta may be null, for 1 and 0.
  void (*row_moments)(int64_t rows, int64_t n, T epsilon, bool rms, const T* x, T* moments);
  void (*row_norm_forward)(int64_t rows, int64_t n, T epsilon, bool rms, const T* x, const T* gamma, const T* beta,
                           T* y);
  void (*row_norm_backward)(int64_t rows, int64_t n, bool rms, const T* moments, const T* x, const T* gamma,
                            const T* dy, T* dx);
  void (*row_norm_sums)(int64_t rows, int64_t n, int64_t ld, const T* moments, const T* x, const T* dy, T* dgamma,
                        T* dbeta, bool accumulate);
  void (*column_moments)(int64_t rows, int64_t n, int64_t ld, const T* x, T* mean, T* variance);
  void (*column_scales)(int64_t n, T epsilon, const T* variance, const T* gamma, T* scale);
  void (*column_norm_forward)(int64_t rows, int64_t n, const T* x, const T* mean, const T* scale, const T* beta, T* y);
  void (*column_norm_sums)(int64_t rows, int64_t n, int64_t ld, const T* x, const T* mean, const T* scale, const T* dy,
                           T* dgamma, T* dbeta);
  void (*column_norm_backward)(int64_t rows, int64_t n, T count, const T* x, const T* mean, const T* scale,
                               const T* gamma, const T* dgamma, const T* dbeta, const T* dy, T* dx);

  void (*loss[kLossCount])(const LossArgs<T>&);

  // w[N] <- w - rate * g
  void (*sgd)(int64_t n, T rate, const T* g, T* w);
  void (*rule[kRuleCount])(const RuleArgs<T>&);
  void (*combine)(int64_t n, T a, const T* x, T b, T* y);           // y[N] <- a * x + b * y
  void (*scale)(int64_t n, T factor, T* x);                         // x[N] <- factor * x
  void (*decay)(int64_t n, T share, T* w);                          // w[N] <- w - share * w
  void (*clip)(int64_t n, T most, T* x);                            // x[N] <- x within [-most, most]
  void (*take_mean)(int64_t n, T count, T* sum, T* g);              // g[N] <- (g + sum) / count;  sum[N] <- 0
  double (*sum_squares)(int64_t n, const T* x);                     // the same bits on every ISA
  void (*add_squares)(int64_t n, const T* x, double* sums);         // sums[N] <- sums + x^2
  void (*divide_by_root)(int64_t n, T row, const T* column, T* g);  // g[N] <- g / sqrt(row * column)

  // rounds * fma_peak_flops operations on registers alone; |x| < 1. See peak.inl for what it returns.
  T (*fma_peak)(int64_t rounds, T x, T y);
  int64_t fma_peak_flops;
};

// The table of one ISA; fails with Kind::value if the CPU or the build lacks it.
template <class T>
const Kernels<T>& kernels(Isa isa);

// Whether this build has kernels for an ISA.
bool built(Isa isa) noexcept;

// NETLET_ISA, or the best ISA that this build has and this CPU runs; fails with Kind::value where that names neither.
Isa default_isa();

// Each isa_<name>.cpp defines one of these.
#define NL_DECLARE_ISA(name)                        \
  extern const Kernels<float> kernels_##name##_f32; \
  extern const Kernels<double> kernels_##name##_f64;
NL_DECLARE_ISA(baseline)
NL_DECLARE_ISA(avx2)
NL_DECLARE_ISA(avx512)
NL_DECLARE_ISA(neon)
#undef NL_DECLARE_ISA

}  // namespace netlet
