// The part of the parser that reads the optimizer.
#pragma once

#include "core/json.h"
#include "program/optimizer.h"

namespace netlet {

// Checks every attribute; fails with Kind::format. params: how many the Program has.
OptimizerCall parse_optimizer(const json::Value& value, size_t params);

}  // namespace netlet
