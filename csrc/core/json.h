// A strict JSON reader (RFC 8259), for programs that come from files nobody vouches for.
//
// Rejected, with Kind::format: trailing text, duplicate keys, nesting over 64, invalid UTF-8 and lone surrogates, raw
// control characters, NaN, infinities and numbers that overflow. Accessors check the type and name the place:
// "ops[3].attrs.alpha: expected a number, got a string".
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace netlet::json {

enum class Type { null, boolean, integer, number, string, array, object };

class Value {
 public:
  Value() = default;
  Value(Value&& other) noexcept;
  Value& operator=(Value&& other) noexcept;
  ~Value();

  Type type() const { return type_; }
  bool is(Type type) const { return type_ == type; }
  bool is_null() const { return type_ == Type::null; }

  // Each fails (Kind::format) where the value has another type.
  bool boolean() const;
  int64_t integer() const;                           // written without fraction and exponent
  int64_t integer(int64_t low, int64_t high) const;  // and within [low, high]
  double number() const;                             // of an integer, too; finite
  const std::string& string() const;
  const std::vector<Value>& array() const;   // the elements
  const std::vector<Value>& object() const;  // the members by ascending key; each knows its key()

  // Elements and members. operator[] fails where there is none; find gives nullptr.
  const Value& operator[](int64_t index) const;
  const Value& operator[](std::string_view key) const;
  const Value* find(std::string_view key) const;
  const std::string& key() const { return key_; }  // empty for what is not a member

  // Fails where an object has a member that isn't listed, so that a misspelt or newer one is not ignored.
  void allow_only(std::initializer_list<std::string_view> keys) const;

  // Where this is in the document: "ops[3].attrs"; "document" for the root.
  std::string path() const;

  // Throws Kind::format, "<path>: <message>".
  [[noreturn]] void fail(const std::string& message) const;

 private:
  friend class Parser;
  void adopt_items();
  void expect(Type type) const;

  Type type_ = Type::null;
  bool boolean_ = false;
  int64_t integer_ = 0;
  double number_ = 0;
  std::string string_, key_;
  std::vector<Value> items_;  // elements, or members sorted by key
  const Value* parent_ = nullptr;
};

// The one value that `text` is. Error (Kind::format): "JSON, byte 17: expected ...".
Value parse(std::string_view text);

// How messages call a type: "an integer".
const char* type_name(Type type) noexcept;

}  // namespace netlet::json
