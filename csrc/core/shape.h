// Shapes, and arithmetic on sizes that fails where it would overflow.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace netlet {

// a * b and a + b of sizes: Kind::value where an operand is negative or the result exceeds int64.
int64_t checked_mul(int64_t a, int64_t b);
int64_t checked_add(int64_t a, int64_t b);

// The extents of an array, outermost first; () is a scalar. Extents are >= 0 and their product fits int64, which the
// constructor checks (Kind::value).
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<int64_t> dims) : Shape(std::vector<int64_t>(dims)) {}
  explicit Shape(std::vector<int64_t> dims);

  int64_t rank() const { return static_cast<int64_t>(dims_.size()); }
  int64_t operator[](int64_t axis) const { return dims_[static_cast<std::size_t>(axis)]; }  // 0 <= axis < rank()
  int64_t back() const { return dims_.back(); }                                             // rank() > 0
  int64_t elements() const { return elements_; }
  const std::vector<int64_t>& dims() const { return dims_; }
  std::vector<int64_t>::const_iterator begin() const { return dims_.begin(); }
  std::vector<int64_t>::const_iterator end() const { return dims_.end(); }
  bool empty() const { return dims_.empty(); }

  std::string str() const;  // as Python prints a tuple: "()", "(3,)", "(2, 3)"

  friend bool operator==(const Shape& a, const Shape& b) { return a.dims_ == b.dims_; }

 private:
  std::vector<int64_t> dims_;
  int64_t elements_ = 1;
};

}  // namespace netlet
