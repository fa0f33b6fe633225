// Vec<float> and Vec<double> of one ISA against plain arithmetic, bit for bit, and masked access beside guard pages.
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "check.h"
#include "simd/vec.h"

namespace netlet {
namespace {

// The bits of a; one pattern for all NaNs.
template <class T>
typename Format<T>::Bits bits(T a) {
  return bit_copy<typename Format<T>::Bits>(a != a ? std::numeric_limits<T>::quiet_NaN() : a);
}

template <class T>
struct Samples {
  static constexpr int count = 24;
  T value[count];
  Samples() {
    using L = std::numeric_limits<T>;
    const T all[count] = {T(0),
                          T(-0.0),
                          T(1),
                          T(-1),
                          T(0.5),
                          T(1.5),
                          T(2.5),
                          T(-0.5),
                          T(-1.5),
                          T(-2.5),
                          T(3.25),
                          T(-1e6),
                          L::min(),
                          -L::min(),
                          L::denorm_min(),
                          -L::denorm_min(),
                          L::max(),
                          -L::max(),
                          L::infinity(),
                          -L::infinity(),
                          L::quiet_NaN(),
                          T(1) + L::epsilon(),
                          T(1) - L::epsilon(),
                          T(7e-9)};
    std::memcpy(value, all, sizeof all);
  }
  T operator()(int64_t i) const { return value[i % count]; }
};

// a and b run through all pairs of samples, lanes at a time; every lane of f(a, b) is compared with g of the elements.
template <class T, class F, class G>
void against_scalar(const char* what, F f, G g) {
  using V = Vec<T>;
  const Samples<T> sample;
  T a[V::lanes], b[V::lanes], y[V::lanes];
  for (int64_t start = 0; start < sample.count * sample.count; ++start) {
    for (int64_t i = 0; i < V::lanes; ++i) {
      a[i] = sample(start + i);
      b[i] = sample((start + i) / sample.count);
    }
    f(V::load(a), V::load(b)).store(y);
    for (int64_t i = 0; i < V::lanes; ++i)
      CHECK_NOTE(bits<T>(y[i]) == bits<T>(g(a[i], b[i])), std::string(what) + " of " + std::to_string(a[i]) + ", " +
                                                              std::to_string(b[i]) + ": " + std::to_string(y[i]));
  }
}

template <class T>
void test_arithmetic() {
  using V = Vec<T>;
#define SAME(name, expression) \
  against_scalar<T>(name, [](auto a, auto b) { return expression; }, [](auto a, auto b) { return expression; })
  SAME("a + b", a + b + (a - a) * (b - b));
  SAME("a - b", a - b);
  SAME("a * b", a * b);
  SAME("a / b", a / b);
  SAME("max", max(a, b));
  SAME("min", min(a, b));
  SAME("abs", abs(a) + abs(b));
  SAME("sqrt", sqrt(a) + b - b);
  SAME("floor", floor(a) + abs(b) - abs(b));
  SAME("round", round(a) + abs(b) - abs(b));
  SAME("-a", max(-a, -b));
  SAME("fma", fma(a, b, a));
  SAME("fnma", fnma(a, b, b));
  SAME("<", select(a < b, a, b));
  SAME("<=", select(a <= b, a, b));
  SAME(">", select(a > b, a, b));
  SAME(">=", select(a >= b, a, b));
  SAME("==", select(a == b, a, b));
  SAME("!=", select(a != b, a, b));
  SAME("!", select(!(a < b), a, b));
  SAME("&", select((a <= b) & (a >= b), a, b));
  SAME("|", select((a < b) | (a > b), a, b));
  SAME("bit_and", bit_and(a, b));
  SAME("bit_or", bit_or(a, b));
  SAME("bit_xor", bit_xor(a, b));
  SAME("int_add", int_add(a, b));
  SAME("int_sub", int_sub(a, b));
  SAME("shift_left", (shift_left<5>(bit_xor(a, b))));
  SAME("shift_right", (shift_right<5>(bit_xor(a, b))));
#undef SAME

  // fma rounds once on every ISA but the baseline, where it always rounds twice.
  const T e = std::numeric_limits<T>::epsilon();
  T y[V::lanes];
  fma(V(1 + e), V(1 - e), V(-1)).store(y);
#if defined(NL_SIMD_BASELINE)
  CHECK(y[0] == 0);
#else
  CHECK(y[0] == -e * e);
#endif
  fnma(V(1 + e), V(1 - e), V(1)).store(y);
  CHECK((y[V::lanes - 1] == 0) == (fma(T(1 + e), T(1 - e), T(-1)) == 0));

  T low[V::lanes], high[V::lanes];
  for (int64_t i = 0; i < V::lanes; ++i) low[i] = T(i), high[i] = T(100 + i);
  const V left = V::load(low), right = V::load(high);
  zip_low(left, right).store(low);
  zip_high(left, right).store(high);
  for (int64_t i = 0; i < V::lanes; ++i) {
    CHECK(low[i] == T(i / 2 + 100 * (i % 2)));
    CHECK(high[i] == T((V::lanes + i) / 2 + 100 * (i % 2)));
  }

  if constexpr (sizeof(T) == 8) {
    uint64_t a[V::lanes], b[V::lanes], product[V::lanes];
    for (int64_t i = 0; i < V::lanes; ++i) {
      a[i] = 0x0123456789ABCDEFu * static_cast<uint64_t>(i + 1);
      b[i] = 0xFFFFFFFFu - static_cast<uint64_t>(i);
    }
    std::memcpy(low, a, sizeof low);
    std::memcpy(high, b, sizeof high);
    int_mul(V::load(low), V::load(high)).store(low);
    std::memcpy(product, low, sizeof low);
    for (int64_t i = 0; i < V::lanes; ++i) CHECK(product[i] == (a[i] & 0xFFFFFFFFu) * (b[i] & 0xFFFFFFFFu));
  }

  V v(T(3));
  v += V(T(2));
  v *= V(T(4));
  v -= V(T(6));
  v /= V(T(7));
  v.store(y);
  for (const T lane : y) CHECK(lane == 2);
  V().store(y);
  for (const T lane : y) CHECK(bits<T>(lane) == 0);
  V::all(T(5)).store(y);
  for (const T lane : y) CHECK(lane == 5);
}

template <class T>
void test_nan_and_zero_rules() {
  using V = Vec<T>;
  const T nan = std::numeric_limits<T>::quiet_NaN();
  CHECK(std::isnan(reduce_add(max(V(T(0)), V(nan)))));
  CHECK(reduce_max(max(V(nan), V(T(1)))) == 1);
  CHECK(std::signbit(reduce_max(max(V(T(0)), V(T(-0.0))))));
  CHECK(!std::signbit(reduce_max(min(V(T(-0.0)), V(T(0))))));
  CHECK(!any(V(nan) == V(nan)) && all(V(nan) != V(nan)) && !any(V(nan) >= V(nan)));
}

template <class T>
void test_masks() {
  using V = Vec<T>;
  T y[V::lanes];
  for (int64_t n = 0; n <= V::lanes; ++n) {
    const auto m = V::first(n);
    select(m, V(T(1)), V(T(2))).store(y);
    for (int64_t i = 0; i < V::lanes; ++i) CHECK(y[i] == (i < n ? 1 : 2));
    CHECK(any(m) == (n > 0));
    CHECK(all(m) == (n == V::lanes));
    CHECK(any(!m) == (n < V::lanes));
    CHECK(all(m | !m) && !any(m & !m));
    for (int64_t k = 0; k <= V::lanes; ++k) {
      CHECK(all(m & V::first(k)) == (n == V::lanes && k == V::lanes));
      CHECK(any(m & !V::first(k)) == (k < n));
    }
  }
}

// Folds the upper half onto the lower until one element is left: what vec.h promises.
template <class T, class F>
T fold(T* a, int64_t n, F f) {
  for (; n > 1; n /= 2)
    for (int64_t i = 0; i < n / 2; ++i) a[i] = f(a[i], a[i + n / 2]);
  return a[0];
}

template <class T>
void test_reductions() {
  using V = Vec<T>;
  uint64_t state = 1;
  for (int round = 0; round < 1000; ++round) {
    T a[V::lanes], copy[V::lanes];
    for (T& x : a) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      x = static_cast<T>(static_cast<double>(static_cast<int64_t>(state)) * 0x1p-50);
    }
    std::memcpy(copy, a, sizeof a);
    CHECK(reduce_add(V::load(a)) == fold(copy, V::lanes, [](T x, T y) { return x + y; }));
    std::memcpy(copy, a, sizeof a);
    CHECK(reduce_max(V::load(a)) == fold(copy, V::lanes, [](T x, T y) { return x > y ? x : y; }));
  }
}

// Two accessible pages between two that are not.
class GuardedPages {
 public:
  GuardedPages() : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))) {
    void* const p = mmap(nullptr, 4 * page_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED || mprotect(static_cast<char*>(p) + page_, 2 * page_, PROT_READ | PROT_WRITE) != 0)
      fail(Kind::runtime, "cannot map guarded pages");
    base_ = static_cast<char*>(p);
  }
  ~GuardedPages() { munmap(base_, 4 * page_); }
  GuardedPages(const GuardedPages&) = delete;
  GuardedPages& operator=(const GuardedPages&) = delete;
  char* begin() const { return base_ + page_; }
  char* end() const { return base_ + 3 * page_; }

 private:
  std::size_t page_;
  char* base_ = nullptr;
};

// Elements outside the mask may lie on pages that must not be touched.
template <class T>
void test_masked_access() {
  using V = Vec<T>;
  const GuardedPages pages;
  T* const first = reinterpret_cast<T*>(pages.begin());
  T* const last = reinterpret_cast<T*>(pages.end());
  for (T* p = first; p < last; ++p) *p = static_cast<T>(p - first + 1);

  T y[V::lanes];
  for (int64_t n = 0; n <= V::lanes; ++n) {
    // At the end of what is mapped: elements from n on are beyond it.
    V::load(last - n, V::first(n)).store(y);
    for (int64_t i = 0; i < V::lanes; ++i) CHECK(bits<T>(y[i]) == bits<T>(i < n ? last[i - n] : T(0)));
    const T before = last[-n - 1];
    V(T(-7)).store(last - n, V::first(n));
    for (int64_t i = 0; i < n; ++i) CHECK(last[i - n] == -7);
    CHECK(last[-n - 1] == before);
    for (int64_t i = 0; i < n; ++i) last[i - n] = static_cast<T>(i + 1);

    // At its start: the first n elements are before it.
    T* const p = first - n;
    V::load(p, !V::first(n)).store(y);
    for (int64_t i = 0; i < V::lanes; ++i) CHECK(bits<T>(y[i]) == bits<T>(i < n ? T(0) : p[i]));
    const T after = p[V::lanes];
    V(T(-9)).store(p, !V::first(n));
    for (int64_t i = n; i < V::lanes; ++i) CHECK(p[i] == -9);
    CHECK(p[V::lanes] == after);
    for (int64_t i = n; i < V::lanes; ++i) p[i] = static_cast<T>(i + 1);
  }
  // Masks with holes, in the middle.
  T* const p = first + 64;
  for (int64_t hole = 0; hole < V::lanes; ++hole) {
    for (int64_t i = 0; i < V::lanes; ++i) p[i] = static_cast<T>(i + 1);
    const auto m = V::first(hole) | !V::first(hole + 1);
    V::load(p, m).store(y);
    V(T(100)).store(p, m);
    for (int64_t i = 0; i < V::lanes; ++i) {
      CHECK(y[i] == (i == hole ? 0 : static_cast<T>(i + 1)));
      CHECK(p[i] == (i == hole ? static_cast<T>(i + 1) : 100));
    }
  }
  // Any alignment.
  for (int64_t offset = 0; offset < 16; ++offset) {
    V(static_cast<T>(offset)).store(p + offset);
    CHECK(reduce_max(V::load(p + offset)) == static_cast<T>(offset));
  }
}

template <class T>
void test_all() {
  test_arithmetic<T>();
  test_nan_and_zero_rules<T>();
  test_masks<T>();
  test_reductions<T>();
  test_masked_access<T>();
}

}  // namespace

namespace test {
int run(int, char**) {
  static_assert(Vec<float>::lanes == 2 * Vec<double>::lanes);
  test_all<float>();
  test_all<double>();
  return report("simd_test " NL_TEST_ISA);
}
}  // namespace test
}  // namespace netlet
