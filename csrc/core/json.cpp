// Accessors of json::Value. json_parser.cpp reads the text.
#include "core/json.h"

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace netlet::json {

Value::~Value() = default;

// Moving a value moves its children's parent; deeper values stay where they are.
Value::Value(Value&& other) noexcept
    : type_(other.type_),
      boolean_(other.boolean_),
      integer_(other.integer_),
      number_(other.number_),
      string_(std::move(other.string_)),
      key_(std::move(other.key_)),
      items_(std::move(other.items_)),
      parent_(other.parent_) {
  adopt_items();
}

Value& Value::operator=(Value&& other) noexcept {
  type_ = other.type_;
  boolean_ = other.boolean_;
  integer_ = other.integer_;
  number_ = other.number_;
  string_ = std::move(other.string_);
  key_ = std::move(other.key_);
  items_ = std::move(other.items_);
  parent_ = other.parent_;
  adopt_items();
  return *this;
}

void Value::adopt_items() {
  for (Value& item : items_) item.parent_ = this;
}

const char* type_name(Type type) noexcept {
  switch (type) {
    case Type::null:
      return "null";
    case Type::boolean:
      return "a boolean";
    case Type::integer:
      return "an integer";
    case Type::number:
      return "a number";
    case Type::string:
      return "a string";
    case Type::array:
      return "an array";
    case Type::object:
      return "an object";
  }
  return "unknown";
}

void Value::expect(Type type) const {
  if (type_ != type) fail(std::string("expected ") + type_name(type) + ", got " + type_name(type_));
}

bool Value::boolean() const {
  expect(Type::boolean);
  return boolean_;
}

int64_t Value::integer() const {
  expect(Type::integer);
  return integer_;
}

int64_t Value::integer(int64_t low, int64_t high) const {
  expect(Type::integer);
  if (integer_ < low || integer_ > high)
    fail("expected an integer in [" + std::to_string(low) + ", " + std::to_string(high) + "], got " +
         std::to_string(integer_));
  return integer_;
}

double Value::number() const {
  if (type_ == Type::integer) return static_cast<double>(integer_);
  expect(Type::number);
  return number_;
}

const std::string& Value::string() const {
  expect(Type::string);
  return string_;
}

const std::vector<Value>& Value::array() const {
  expect(Type::array);
  return items_;
}

const std::vector<Value>& Value::object() const {
  expect(Type::object);
  return items_;
}

const Value& Value::operator[](int64_t index) const {
  expect(Type::array);
  const int64_t size = static_cast<int64_t>(items_.size());
  if (index < 0 || index >= size)
    fail("expected more than " + std::to_string(index) + " elements, got " + std::to_string(size));
  return items_[static_cast<std::size_t>(index)];
}

const Value& Value::operator[](std::string_view key) const {
  const Value* const value = find(key);
  if (!value) fail("has no '" + std::string(key) + "'");
  return *value;
}

const Value* Value::find(std::string_view key) const {
  expect(Type::object);
  const auto at = std::lower_bound(items_.begin(), items_.end(), key,
                                   [](const Value& item, std::string_view k) { return item.key_ < k; });
  return at != items_.end() && at->key_ == key ? &*at : nullptr;
}

void Value::allow_only(std::initializer_list<std::string_view> keys) const {
  for (const Value& member : object())
    if (std::find(keys.begin(), keys.end(), member.key_) == keys.end())
      fail("has an unknown member '" + member.key_.substr(0, 64) + "'");
}

std::string Value::path() const {
  if (!parent_) return "document";
  const std::string outer = parent_->parent_ ? parent_->path() : std::string();
  if (parent_->type_ == Type::array) return outer + "[" + std::to_string(this - parent_->items_.data()) + "]";
  return (outer.empty() ? outer : outer + ".") + key_.substr(0, 64);
}

void Value::fail(const std::string& message) const { netlet::fail(Kind::format, path() + ": " + message); }

}  // namespace netlet::json
