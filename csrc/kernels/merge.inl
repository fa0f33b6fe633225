// Several values of a row joined element by element, forward beside backward; see Kernels::merge_forward.
//
//   add        y = x0 + x1 + ..., from the first to the last        dx = dy
//   subtract   y = x0 - x1                                          dx0 = dy, dx1 = -dy
//   multiply   y = x0 * x1 * ...                                    dx = dy * the others, from the first to the last
//   average    y = (x0 + x1 + ...) / count                          dx = dy / count
//   maximum    y = the largest, NaN where there is one              dx = dy of the first that equals y, 0 of the others
//   minimum    y = the smallest, likewise
#pragma once

#include "kernels/elementwise.inl"

namespace netlet {
namespace {

template <class Rule, class T>
static void merge_forward(int64_t n, int count, const T* const* x, T* y) {
  const Vec<T> all(static_cast<T>(count));
  for_lanes<T>(n, [&](auto load, auto store) {
    Vec<T> v = load(x[0]);
    for (int i = 1; i < count; ++i) v = Rule::join(v, load(x[i]));
    store(y, Rule::last(v, all));
  });
}

struct MergeAdd {
  template <class V> static NL_FN V join(V a, V b) { return a + b; }
  template <class V> static NL_FN V last(V a, V) { return a; }
  template <class T>
  static void backward(int64_t n, int count, const T* const*, const T*, const T* dy, T* const* dx) {
    for (int i = 0; i < count; ++i)
      if (dx[i]) for_lanes<T>(n, [&](auto load, auto store) { store(dx[i], load(dy)); });
  }
};

struct MergeAverage : MergeAdd {
  template <class V> static NL_FN V last(V a, V count) { return a / count; }
  template <class T>
  static void backward(int64_t n, int count, const T* const*, const T*, const T* dy, T* const* dx) {
    const Vec<T> all(static_cast<T>(count));
    for (int i = 0; i < count; ++i)
      if (dx[i]) for_lanes<T>(n, [&](auto load, auto store) { store(dx[i], load(dy) / all); });
  }
};

struct MergeSubtract : MergeAdd {
  template <class V> static NL_FN V join(V a, V b) { return a - b; }
  template <class T>
  static void backward(int64_t n, int, const T* const*, const T*, const T* dy, T* const* dx) {
    if (dx[0]) for_lanes<T>(n, [&](auto load, auto store) { store(dx[0], load(dy)); });
    if (dx[1]) for_lanes<T>(n, [&](auto load, auto store) { store(dx[1], -load(dy)); });
  }
};

struct MergeMultiply : MergeAdd {
  template <class V> static NL_FN V join(V a, V b) { return a * b; }
  template <class T>
  static void backward(int64_t n, int count, const T* const* x, const T*, const T* dy, T* const* dx) {
    for (int i = 0; i < count; ++i)
      if (dx[i])
        for_lanes<T>(n, [&](auto load, auto store) {
          Vec<T> v = load(dy);
          for (int j = 0; j < count; ++j)
            if (j != i) v = v * load(x[j]);
          store(dx[i], v);
        });
  }
};

// What maximum and minimum share.
struct MergeExtreme : MergeAdd {
  template <class T>
  static void backward(int64_t n, int count, const T* const* x, const T* y, const T* dy, T* const* dx) {
    for_lanes<T>(n, [&](auto load, auto store) {
      const Vec<T> extreme = load(y), slope = load(dy), zero(T(0));
      auto taken = zero != zero;
      for (int i = 0; i < count; ++i) {
        const auto equal = load(x[i]) == extreme;
        if (dx[i]) store(dx[i], select(equal & !taken, slope, zero));
        taken = taken | equal;
      }
    });
  }
};
struct MergeMaximum : MergeExtreme {
  template <class V> static NL_FN V join(V a, V b) { return select((b > a) | (b != b), b, a); }
};
struct MergeMinimum : MergeExtreme {
  template <class V> static NL_FN V join(V a, V b) { return select((b < a) | (b != b), b, a); }
};

}  // namespace
}  // namespace netlet
