// Error and fail.
#include "core/error.h"

#include <utility>

namespace netlet {

Error::Error(Kind kind, std::string message) : kind_(kind), message_(std::move(message)) {}

Error::~Error() = default;  // out of line: one copy of the type's information, so that catch works across libraries

void fail(Kind kind, std::string message) { throw Error(kind, std::move(message)); }

}  // namespace netlet
