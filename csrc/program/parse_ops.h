// The part of the parser that reads the ops which have settings or several inputs of their own.
#pragma once

#include <string>
#include <string_view>

#include "core/json.h"
#include "program/program.h"

namespace netlet {

// The kind that a name stands for, and what sets merges apart; hosted where it's none of these.
OpKind kind_of_op(std::string_view name, Merge& merge);

// All these names, for messages.
std::string names_of_ops();

// Reads the attributes of such a call, whose values, params and state are those of the Program, and checks them and
// every shape; fails with Kind::format. where: its place, for messages.
void parse_op(const json::Value& attrs, const std::string& name, const std::string& where, Program& program,
              OpCall& call);

}  // namespace netlet
