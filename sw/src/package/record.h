// SPDX-License-Identifier: Apache-2.0
// JSON that is read strictly: nothing is missing, of another kind or left over.
#pragma once

#include <yyjson.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "error.h"

namespace sterna {

using Document = std::unique_ptr<yyjson_doc, decltype(&yyjson_doc_free)>;

/// The document `json`, in which `what` is; `again` is the remedy for what is damaged.
inline Document parse(std::span<const std::uint8_t> json, const std::string& what, const char* again) {
  yyjson_read_err error{};
  char* text = reinterpret_cast<char*>(const_cast<std::uint8_t*>(json.data()));
  Document document(yyjson_read_opts(text, json.size(), YYJSON_READ_NOFLAG, nullptr, &error), &yyjson_doc_free);
  if (!document) refuse({"", "holds " + what + " that is not JSON (" + error.msg + ")", "", "", again});
  return document;
}

/// The values of a list; none of anything else.
inline std::vector<yyjson_val*> values_of(yyjson_val* list) {
  std::vector<yyjson_val*> values;
  yyjson_arr_iter iterator = yyjson_arr_iter_with(list);
  while (yyjson_val* each = yyjson_arr_iter_next(&iterator)) values.push_back(each);
  return values;
}

/// A JSON object of which every value is asked for once, and nothing is left over.
class Record {
 public:
  Record(yyjson_val* object, std::string place, const char* again)
      : object_(object), place_(std::move(place)), again_(again) {
    if (!yyjson_is_obj(object)) refuse({"", place_ + " is no record", "", "", again_});
  }

  const std::string& place() const { return place_; }

  bool has(const char* key) const { return yyjson_obj_get(object_, key); }

  yyjson_val* value(const char* key) {
    yyjson_val* found = yyjson_obj_get(object_, key);
    if (!found) refuse({"", place_ + " has missing keys", std::string("keys = ") + key, "", again_});
    ++used_;
    return found;
  }

  Record record(const char* key) { return {value(key), place_ + "." + key, again_}; }

  int integer(const char* key) { return integer(value(key), key); }

  int integer(yyjson_val* found, const char* key) const {
    const bool fits = yyjson_is_int(found) && (!yyjson_is_uint(found) || yyjson_get_uint(found) <= kMost) &&
                      yyjson_get_sint(found) >= -kMost && yyjson_get_sint(found) <= kMost;
    if (!fits) refuse({"", place_ + " has a value that is no integer in range", key, "", again_});
    return static_cast<int>(yyjson_get_sint(found));
  }

  bool flag(const char* key) {
    yyjson_val* found = value(key);
    if (!yyjson_is_bool(found)) refuse({"", place_ + " has a value that is neither true nor false", key, "", again_});
    return yyjson_get_bool(found);
  }

  std::uint64_t count(const char* key) {
    yyjson_val* found = value(key);
    if (!yyjson_is_uint(found)) refuse({"", place_ + " has a value that is no count", key, "", again_});
    return yyjson_get_uint(found);
  }

  double real(const char* key) {
    yyjson_val* found = value(key);
    if (!yyjson_is_num(found)) refuse({"", place_ + " has a value that is no number", key, "", again_});
    return yyjson_get_num(found);
  }

  std::string text(const char* key) { return text(value(key), key); }

  std::string text(yyjson_val* found, const char* key) const {
    if (!yyjson_is_str(found)) refuse({"", place_ + " has a value that is no text", key, "", again_});
    return {yyjson_get_str(found), yyjson_get_len(found)};
  }

  /// The values of a list, of `least` to `most`.
  std::vector<yyjson_val*> list(const char* key, std::size_t least, std::size_t most) {
    yyjson_val* found = value(key);
    if (!yyjson_is_arr(found) || yyjson_arr_size(found) < least || yyjson_arr_size(found) > most) {
      refuse({"", place_ + " has a value that is no list of the right length", key, "", again_});
    }
    return values_of(found);
  }

  /// Refuses keys that were not asked for.
  void finish() const {
    if (yyjson_obj_size(object_) != used_) {
      refuse({"", place_ + " has unknown keys", "keys = " + std::to_string(yyjson_obj_size(object_)),
              std::to_string(used_), again_});
    }
  }

 private:
  static constexpr std::int64_t kMost = std::numeric_limits<int>::max();

  yyjson_val* object_;
  std::string place_;
  const char* again_;
  std::size_t used_ = 0;
};

}  // namespace sterna
