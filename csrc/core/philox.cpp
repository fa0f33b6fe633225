// Runs of words and permutations from the Philox stream.
#include "core/philox.h"

#include <utility>

namespace netlet {

void philox_words(uint64_t seed, Purpose purpose, uint64_t step, uint64_t first, int64_t count, uint32_t* words) {
  int64_t i = 0;
  while (i < count) {
    const uint64_t e = first + static_cast<uint64_t>(i);
    const PhiloxBlock block = philox_block(seed, purpose, step, e / 4);
    for (uint64_t w = e % 4; w < 4 && i < count; ++w) words[i++] = block.word[w];
  }
}

void permutation(uint64_t seed, uint64_t epoch, int64_t n, int64_t* order) {
  for (int64_t i = 0; i < n; ++i) order[i] = i;
  PhiloxBlock block{};
  for (int64_t i = n - 1; i >= 1; --i) {
    // A block serves two i: 2b + 1, then 2b.
    if (i % 2 == 1 || i == n - 1) block = philox_block(seed, Purpose::shuffle, epoch, static_cast<uint64_t>(i) / 2);
    const uint32_t* const w = block.word + i % 2 * 2;
    const uint64_t r = w[0] | static_cast<uint64_t>(w[1]) << 32;
    std::swap(order[i], order[mul_high(r, static_cast<uint64_t>(i) + 1)]);
  }
}

}  // namespace netlet
