// core: sizes and shapes, arenas, the Philox stream, and the names of instruction sets.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "check.h"
#include "core/arena.h"
#include "core/isa.h"
#include "core/philox.h"
#include "core/shape.h"

namespace netlet {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

void test_checked_arithmetic() {
  CHECK(checked_mul(0, kMax) == 0 && checked_mul(kMax, 0) == 0 && checked_mul(kMax, 1) == kMax);
  CHECK(checked_mul(3037000499, 3037000499) == 9223372030926249001);
  CHECK_FAILS(value, "exceeds 2**63 - 1", checked_mul(3037000500, 3037000500));
  CHECK_FAILS(value, "exceeds 2**63 - 1", checked_mul(2, kMax / 2 + 1));
  CHECK_FAILS(value, "got -1 and 5", checked_mul(-1, 5));
  CHECK(checked_add(kMax, 0) == kMax && checked_add(kMax - 1, 1) == kMax);
  CHECK_FAILS(value, "exceeds 2**63 - 1", checked_add(kMax, 1));
  CHECK_FAILS(value, "got 1 and -2", checked_add(1, -2));
}

void test_shape() {
  CHECK(Shape().elements() == 1 && Shape().rank() == 0 && Shape().str() == "()");
  CHECK(Shape({3}).str() == "(3,)" && Shape({2, 3}).str() == "(2, 3)");
  const Shape s({4, 5, 6});
  CHECK(s.elements() == 120 && s.rank() == 3 && s[1] == 5 && s.back() == 6);
  CHECK(s == Shape({4, 5, 6}) && !(s == Shape({4, 5})));
  CHECK(Shape({0, 7}).elements() == 0);
  CHECK(Shape({kMax}).elements() == kMax);
  CHECK_FAILS(value, "shape (-1,): expected extents >= 0", Shape({-1}));
  CHECK_FAILS(value, "more than 2**63 - 1 elements", Shape({kMax, 2}));
  CHECK_FAILS(value, "more than 2**63 - 1 elements", Shape({4294967296, 4294967296, 0}));
}

void test_arena() {
  AlignedBuffer<float> buffer(1000);
  CHECK(reinterpret_cast<uintptr_t>(buffer.data()) % 64 == 0 && buffer.size() == 1000);
  CHECK(std::all_of(buffer.begin(), buffer.end(), [](float x) { return x == 0; }));
  buffer[999] = 5;
  AlignedBuffer<float> moved = std::move(buffer);
  CHECK(moved[999] == 5 && moved.size() == 1000 && buffer.size() == 0 && buffer.data() == nullptr);
  CHECK(AlignedBuffer<double>(0).data() == nullptr);
  CHECK_FAILS(value, "size product", AlignedBuffer<double>(-1));
  CHECK_FAILS(value, "exceeds", AlignedBuffer<double>(kMax / 4));

  CHECK(Arena::bytes<float>(0) == 0 && Arena::bytes<float>(1) == 64 && Arena::bytes<float>(16) == 64);
  CHECK(Arena::bytes<double>(9) == 128);
  CHECK_FAILS(value, "exceeds", Arena::bytes<float>(kMax / 4));
  CHECK_FAILS(value, "exceeds", Arena::bytes<char>(kMax - 5));
  Arena arena(Arena::bytes<float>(5) + Arena::bytes<double>(9));
  float* const x = arena.take<float>(5);
  double* const y = arena.take<double>(9);
  CHECK(reinterpret_cast<uintptr_t>(x) % 64 == 0 && reinterpret_cast<uintptr_t>(y) % 64 == 0);
  CHECK(reinterpret_cast<char*>(y) - reinterpret_cast<char*>(x) == 64);
  CHECK(arena.left() == 0 && arena.used() == arena.capacity());
  std::memset(static_cast<void*>(x), 1, static_cast<std::size_t>(arena.capacity()));
  arena.take<float>(0);
  CHECK_FAILS(runtime, "64 bytes asked for, 0 left", arena.take<float>(1));
  CHECK_FAILS(value, "size product", arena.take<float>(-1));
  arena.reset();
  CHECK(arena.take<char>(1) == reinterpret_cast<char*>(x));
  CHECK_FAILS(runtime, "asked for", Arena().take<float>(1));
}

bool equal(const PhiloxBlock& a, const PhiloxBlock& b) { return std::equal(a.word, a.word + 4, b.word); }

// The known answers that come with Random123 (kat_vectors, philox4x32 10).
void test_philox_known_answers() {
  CHECK(equal(philox4x32({{0, 0, 0, 0}}, 0, 0), {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}}));
  constexpr uint32_t f = 0xffffffff;
  CHECK(equal(philox4x32({{f, f, f, f}}, f, f), {{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}}));
  CHECK(equal(philox4x32({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, 0xa4093822, 0x299f31d0),
              {{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}));
}

void test_philox_stream() {
  const uint64_t seed = 0x0123456789abcdef, step = 0xfedcba9876543210, block = 0x0000123456789abc;
  CHECK(equal(philox_block(seed, Purpose::dropout, step, block),
              philox4x32({{0x56789abc, 0x1234 | 2u << 16, 0x76543210, 0xfedcba98}}, 0x89abcdef, 0x01234567)));
  // Words are numbered alike wherever a run of them starts and ends.
  uint32_t all[23], part[23];
  philox_words(5, Purpose::data, 9, 0, 23, all);
  for (int first = 0; first < 23; ++first)
    for (int count = 0; count <= 23 - first; ++count) {
      philox_words(5, Purpose::data, 9, static_cast<uint64_t>(first), count, part);
      CHECK(std::equal(part, part + count, all + first));
    }
  CHECK(all[6] == philox_block(5, Purpose::data, 9, 1).word[2]);

  CHECK(uniform_float(0) == 0.0f && uniform_float(0xffffffff) == 1 - 0x1p-24f && uniform_float(0x80000000) == 0.5f);
  CHECK(uniform_double(0, 0) == 0 && uniform_double(0xffffffff, 0xffffffff) == 1 - 0x1p-53);
  CHECK(uniform_double(0x80000000, 0) == 0.5 && uniform_double(0, 0x40) == 0x1p-53);
}

// permutation() written again from its definition, a word at a time.
std::vector<int64_t> plain_permutation(uint64_t seed, uint64_t epoch, int64_t n) {
  std::vector<int64_t> p;
  for (int64_t i = 0; i < n; ++i) p.push_back(i);
  for (int64_t i = n - 1; i >= 1; --i) {
    uint32_t w[2];
    philox_words(seed, Purpose::shuffle, epoch, static_cast<uint64_t>(2 * i), 2, w);
    // r * (i + 1) / 2^64 by halves; i + 1 < 2^32 here.
    const uint64_t bound = static_cast<uint64_t>(i) + 1;
    const uint64_t j = (w[1] * bound + (w[0] * bound >> 32)) >> 32;
    std::swap(p[static_cast<std::size_t>(i)], p[j]);
  }
  return p;
}

void test_permutation() {
  for (const int64_t n : {0, 1, 2, 3, 4, 5, 8, 101, 1000}) {
    std::vector<int64_t> order(static_cast<std::size_t>(n));
    for (const uint64_t seed : {uint64_t(0), uint64_t(7), ~uint64_t(0)}) {
      permutation(seed, 3, n, order.data());
      CHECK(order == plain_permutation(seed, 3, n));
      std::sort(order.begin(), order.end());
      for (int64_t i = 0; i < n; ++i) CHECK(order[static_cast<std::size_t>(i)] == i);
    }
  }
  // All 24 orders of four, about equally often: 12,000 epochs, 500 expected each, 5 standard deviations allowed.
  int seen[256] = {};
  for (uint64_t epoch = 0; epoch < 12000; ++epoch) {
    int64_t p[4];
    permutation(1, epoch, 4, p);
    ++seen[p[0] + 4 * p[1] + 16 * p[2] + 64 * p[3]];
  }
  CHECK(std::count_if(seen, seen + 256, [](int c) { return c > 0; }) == 24);
  for (const int c : seen) CHECK(c == 0 || (c > 390 && c < 610));
}

void test_isa() {
  for (const Isa isa : kAllIsas) CHECK(parse(name(isa)) == isa);
  CHECK_FAILS(value, "expected baseline, avx2, avx512 or neon, got 'sse9'", parse("sse9"));
  CHECK(supported(detect()));
  CHECK(!supported(Isa::avx512) || supported(Isa::avx2));
  CHECK(!supported(Isa::avx2) || supported(Isa::baseline));
  CHECK(supported(Isa::neon) != supported(Isa::baseline));
#if defined(__x86_64__)
  // Against the compiler's own reading of cpuid.
  CHECK(supported(Isa::avx2) == (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                                 __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2")));
  CHECK(supported(Isa::avx512) == (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                                   __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")));
#endif
}

}  // namespace
}  // namespace netlet

int main() {
  using namespace netlet;
  test_checked_arithmetic();
  test_shape();
  test_arena();
  test_philox_known_answers();
  test_philox_stream();
  test_permutation();
  test_isa();
  return test::report("core_test");
}
