// A walk over the elements of an array in their order, with the place of each in another that has the same axes, some
// of them in another order or of length 1.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace netlet {

class Walk {
 public:
  // shape: of the array walked over, of at most 16 axes; steps: along each of its axes, in the other array.
  Walk(std::vector<int64_t> shape, std::vector<int64_t> steps) : shape_(std::move(shape)), steps_(std::move(steps)) {}

  // The other has its elements in a row, and stays where an axis of it has length 1.
  static Walk spread(const std::vector<int64_t>& shape, const std::vector<int64_t>& other) {
    std::vector<int64_t> steps(shape.size(), 0);
    int64_t step = 1;
    for (size_t axis = shape.size(); axis-- > 0;) {
      if (other[axis] != 1) steps[axis] = step;
      step *= other[axis];
    }
    return {shape, std::move(steps)};
  }

  // f(place in the other, place here), for each element.
  template <class F>
  void operator()(F&& f) const {
    if (shape_.empty()) return f(int64_t{0}, int64_t{0});
    int64_t outer = 1, index[16] = {}, there = 0, here = 0;
    const size_t last = shape_.size() - 1;
    for (size_t axis = 0; axis < last; ++axis) outer *= shape_[axis];
    const int64_t n = shape_[last], step = steps_[last];
    for (int64_t row = 0; row < outer; ++row) {
      for (int64_t i = 0; i < n; ++i) f(there + i * step, here + i);
      here += n;
      for (size_t axis = last; axis-- > 0;) {
        there += steps_[axis];
        if (++index[axis] < shape_[axis]) break;
        there -= steps_[axis] * shape_[axis];
        index[axis] = 0;
      }
    }
  }

 private:
  std::vector<int64_t> shape_, steps_;
};

}  // namespace netlet
