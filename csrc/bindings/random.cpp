// The random stream: Philox words and permutations, the same bits as netlet.random computes with NumPy.
#include "bindings/bindings.h"
#include "core/philox.h"

namespace netlet {

void bind_random(py::module_& m) {
  m.def(
      "philox_words",
      [](uint64_t seed, uint32_t purpose, uint64_t step, uint64_t first, int64_t count) {
        if (count < 0) fail(Kind::value, "philox_words: count is " + std::to_string(count) + ", expected 0 or more");
        if (purpose > 0xffff)
          fail(Kind::value, "philox_words: purpose is " + std::to_string(purpose) + ", expected less than 65536");
        py::array_t<uint32_t> words(count);
        uint32_t* out = words.mutable_data();
        {
          py::gil_scoped_release release;
          philox_words(seed, static_cast<Purpose>(purpose), step, first, count, out);
        }
        return words;
      },
      py::arg("seed"), py::arg("purpose"), py::arg("step"), py::arg("first"), py::arg("count"),
      "Words first .. first + count - 1 of the stream (seed, purpose, step), as uint32.");
  m.def(
      "permutation",
      [](uint64_t seed, uint64_t epoch, int64_t n) {
        if (n < 0) fail(Kind::value, "permutation: n is " + std::to_string(n) + ", expected 0 or more");
        py::array_t<int64_t> order(n);
        int64_t* out = order.mutable_data();
        {
          py::gil_scoped_release release;
          permutation(seed, epoch, n, out);
        }
        return order;
      },
      py::arg("seed"), py::arg("epoch"), py::arg("n"),
      "A permutation of 0 .. n - 1 (Durstenfeld's shuffle), as int64.");
}

}  // namespace netlet
