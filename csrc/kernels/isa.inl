// Builds one ISA's table of kernels. Each isa_<name>.cpp sets its NL_SIMD_ macro, includes this, and names its tables;
// the build gives ISA flags to those files alone. Nothing here has external linkage but the tables.
#pragma once

#include "kernels/activation.inl"
#include "kernels/dense_few.inl"
#include "kernels/dropout.inl"
#include "kernels/elementwise.inl"
#include "kernels/gemm.inl"
#include "kernels/linear_pieces.inl"
#include "kernels/loss.inl"
#include "kernels/merge.inl"
#include "kernels/normalization.inl"
#include "kernels/optimizer.inl"
#include "kernels/optimizer_moments.inl"
#include "kernels/optimizer_squares.inl"
#include "kernels/peak.inl"
#include "kernels/piecewise.inl"
#include "kernels/softmax.inl"

namespace netlet {
namespace {

template <class T>
constexpr Kernels<T> make_kernels(Isa isa) {
  Kernels<T> k{};
  k.isa = isa;
  k.mr = Tile<T>::MR;
  k.nr = Tile<T>::NR;
  k.gemm_packs = gemm_packs<T>;
  k.gemm_scratch = gemm_scratch<T>;
  k.gemm = gemm<T>;
  k.gemm_packed_size = gemm_packed_size<T>;
  k.gemm_pack = gemm_pack<T>;
  k.few_inputs = kFewInputs;
  k.few_outputs = Vec<T>::lanes;
  k.few_forward = few_forward<T>;
  k.few_gradients = few_gradients<T>;
  k.transpose = transpose<T>;
  k.column_sums = column_sums<T>;
  k.add = add<T>;

#define NL_ACT(act, Rule)                                           \
  k.act_forward[static_cast<int>(Act::act)] = act_forward<Rule, T>; \
  k.act_backward[static_cast<int>(Act::act)] = act_backward<Rule, !gradient_from_output(Act::act), T>;
  NL_ACT(linear, Linear)
  NL_ACT(relu, Relu)
  NL_ACT(leaky_relu, LeakyRelu)
  NL_ACT(elu, Elu)
  NL_ACT(selu, Selu)
  NL_ACT(sigmoid, Sigmoid)
  NL_ACT(tanh, Tanh)
  NL_ACT(exponential, Exponential)
  NL_ACT(hard_sigmoid, HardSigmoid)
  NL_ACT(relu6, Relu6)
  NL_ACT(celu, Celu)
  NL_ACT(squareplus, Squareplus)
  NL_ACT(soft_shrink, SoftShrink)
  NL_ACT(hard_shrink, HardShrink)
  NL_ACT(sparse_plus, SparsePlus)
  NL_ACT(hard_tanh, HardTanh)
  NL_ACT(sparse_sigmoid, SparseSigmoid)
  NL_ACT(log_sigmoid, LogSigmoid)
  NL_ACT(softplus, Softplus)
  NL_ACT(softsign, Softsign)
  NL_ACT(gelu, Gelu)
  NL_ACT(gelu_tanh, GeluTanh)
  NL_ACT(silu, Silu)
  NL_ACT(hard_silu, HardSilu)
  NL_ACT(tanh_shrink, TanhShrink)
  NL_ACT(mish, Mish)
#undef NL_ACT
  k.piecewise_forward = piecewise_forward<T>;
  k.piecewise_backward = piecewise_backward<T>;

  k.softmax_forward = softmax_forward<T>;
  k.softmax_backward = softmax_backward<T>;
  k.log_softmax_forward = log_softmax_forward<T>;
  k.log_softmax_backward = log_softmax_backward<T>;

#define NL_MERGE(name, Rule)                                               \
  k.merge_forward[static_cast<int>(Merge::name)] = merge_forward<Rule, T>; \
  k.merge_backward[static_cast<int>(Merge::name)] = Rule::backward<T>;
  NL_MERGE(add, MergeAdd)
  NL_MERGE(subtract, MergeSubtract)
  NL_MERGE(multiply, MergeMultiply)
  NL_MERGE(average, MergeAverage)
  NL_MERGE(maximum, MergeMaximum)
  NL_MERGE(minimum, MergeMinimum)
#undef NL_MERGE

  k.prelu_forward = prelu_forward<T>;
  k.prelu_backward = prelu_backward<T>;
  k.prelu_sums = prelu_sums<T>;
  k.affine = affine<T>;
  k.permutation = permutation_by_lanes;
  k.dropout = dropout<T>;
  k.row_moments = row_moments<T>;
  k.row_norm_forward = row_norm_forward<T>;
  k.row_norm_backward = row_norm_backward<T>;
  k.row_norm_sums = row_norm_sums<T>;
  k.column_moments = column_moments<T>;
  k.column_scales = column_scales<T>;
  k.column_norm_forward = column_norm_forward<T>;
  k.column_norm_sums = column_norm_sums<T>;
  k.column_norm_backward = column_norm_backward<T>;

#define NL_LOSS(kind, ...) k.loss[static_cast<int>(LossKind::kind)] = __VA_ARGS__;
  NL_LOSS(mean_squared_error, mean_loss<MeanSquaredError, T>)
  NL_LOSS(mean_absolute_error, mean_loss<MeanAbsoluteError, T>)
  NL_LOSS(binary_crossentropy, mean_loss<BinaryCrossentropy, T>)
  NL_LOSS(binary_crossentropy_logits, mean_loss<BinaryCrossentropyLogits, T>)
  NL_LOSS(categorical_crossentropy, categorical_crossentropy<T>)
  NL_LOSS(categorical_crossentropy_logits, categorical_crossentropy_logits<T>)
  NL_LOSS(sparse_categorical_crossentropy, sparse_categorical_crossentropy<T>)
  NL_LOSS(sparse_categorical_crossentropy_logits, sparse_categorical_crossentropy_logits<T>)
  NL_LOSS(huber, mean_loss<HuberLoss, T>)
  NL_LOSS(log_cosh, mean_loss<LogCoshLoss, T>)
  NL_LOSS(poisson, mean_loss<PoissonLoss, T>)
  NL_LOSS(mean_absolute_percentage_error, mean_loss<PercentageLoss, T>)
  NL_LOSS(mean_squared_logarithmic_error, mean_loss<LogarithmicLoss, T>)
  NL_LOSS(kl_divergence, mean_loss<KullbackLeibler, T>)
#undef NL_LOSS

  k.sgd = sgd<T>;
#define NL_RULE(name, function) k.rule[static_cast<int>(Rule::name)] = function<T>;
  NL_RULE(momentum, sgd_momentum)
  NL_RULE(adam, adam)
  NL_RULE(adamax, adamax)
  NL_RULE(nadam, nadam)
  NL_RULE(schedule_free, schedule_free)
  NL_RULE(lamb, lamb)
  NL_RULE(lion, lion)
  NL_RULE(muon, muon_momentum)
  NL_RULE(rmsprop, rmsprop)
  NL_RULE(adagrad, adagrad)
  NL_RULE(adadelta, adadelta)
  NL_RULE(ftrl, ftrl)
  NL_RULE(adafactor, adafactor)
#undef NL_RULE
  k.combine = combine<T>;
  k.scale = scale_by<T>;
  k.clip = clip<T>;
  k.decay = decay<T>;
  k.take_mean = take_mean<T>;
  k.sum_squares = sum_squares<T>;
  k.add_squares = add_squares<T>;
  k.divide_by_root = divide_by_root<T>;
  k.fma_peak = fma_peak<T>;
  k.fma_peak_flops = Peak<T>::flops;
  return k;
}

}  // namespace
}  // namespace netlet

#define NL_DEFINE_ISA(name)                                                               \
  namespace netlet {                                                                      \
  constinit const Kernels<float> kernels_##name##_f32 = make_kernels<float>(Isa::name);   \
  constinit const Kernels<double> kernels_##name##_f64 = make_kernels<double>(Isa::name); \
  }
