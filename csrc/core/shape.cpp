// Shape and the checked arithmetic of sizes.
#include "core/shape.h"

#include <limits>
#include <utility>

#include "core/error.h"

namespace netlet {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

void check_operands(const char* what, int64_t a, int64_t b) {
  if (a < 0 || b < 0)
    fail(Kind::value,
         std::string(what) + ": expected sizes >= 0, got " + std::to_string(a) + " and " + std::to_string(b));
}

}  // namespace

int64_t checked_mul(int64_t a, int64_t b) {
  check_operands("size product", a, b);
  if (b != 0 && a > kMax / b)
    fail(Kind::value, "size product: " + std::to_string(a) + " * " + std::to_string(b) + " exceeds 2**63 - 1");
  return a * b;
}

int64_t checked_add(int64_t a, int64_t b) {
  check_operands("size sum", a, b);
  if (a > kMax - b)
    fail(Kind::value, "size sum: " + std::to_string(a) + " + " + std::to_string(b) + " exceeds 2**63 - 1");
  return a + b;
}

Shape::Shape(std::vector<int64_t> dims) : dims_(std::move(dims)) {
  // The product of the extents that are not 0 must fit as well: then no partial product can overflow either.
  int64_t nonzero = 1;
  bool zero = false;
  for (const int64_t d : dims_) {
    if (d < 0) fail(Kind::value, "shape " + str() + ": expected extents >= 0");
    if (d == 0) {
      zero = true;
    } else if (nonzero > kMax / d) {
      fail(Kind::value, "shape " + str() + ": more than 2**63 - 1 elements");
    } else {
      nonzero *= d;
    }
  }
  elements_ = zero ? 0 : nonzero;
}

std::string Shape::str() const {
  std::string text = "(";
  for (std::size_t i = 0; i < dims_.size(); ++i) {
    if (i) text += ", ";
    text += std::to_string(dims_[i]);
  }
  return text + (dims_.size() == 1 ? ",)" : ")");
}

}  // namespace netlet
