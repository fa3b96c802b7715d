// SPDX-License-Identifier: Apache-2.0
#include "device/uri.h"

#include <charconv>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "error.h"

namespace sterna {
namespace {

/// The number that hexadecimal digits make; -1 if they are none.
int hex(std::string_view digits) {
  int number = -1;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  return failed == std::errc() && end == digits.data() + digits.size() && digits.size() == 2 ? number : -1;
}

std::string unquoted(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const int byte = text[at] == '%' ? hex(text.substr(at + 1, 2)) : -1;
    plain += byte < 0 ? text[at] : static_cast<char>(byte);
    if (byte >= 0) at += 2;
  }
  return plain;
}

/// Cuts `text` at the first `mark`, which neither part has; all of it if there is none.
std::pair<std::string_view, std::string_view> cut(std::string_view text, char mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos) return {text, {}};
  return {text.substr(0, at), text.substr(at + 1)};
}

/// In a query `+` is a space.
std::string value_of(std::string_view text) {
  std::string spaced(text);
  for (char& letter : spaced) letter = letter == '+' ? ' ' : letter;
  return unquoted(spaced);
}

std::string shown(double number) {
  std::ostringstream text;
  text << number;
  return text.str();
}

}  // namespace

Uri::Uri(const std::string& text) : text_(text) {
  const auto [scheme, rest] = cut(text_, ':');
  const auto [path, query] = cut(rest, '?');
  scheme_ = scheme;
  path_ = unquoted(path);
  bool is_well = !scheme_.empty();
  for (std::string_view left = query; !left.empty();) {
    const auto [pair, others] = cut(left, '&');
    const auto [name, value] = cut(pair, '=');
    const bool is_pair = pair.find('=') != std::string_view::npos;
    is_well = is_well && is_pair && parameters_.emplace(value_of(name), value_of(value)).second;
    left = others;
  }
  if (is_well) return;
  refuse({where(), "is not the name of a device", "", "SCHEME:PATH?PARAMETER=VALUE&..., each parameter once",
          "give for example emulator: or soc:/dev/uio0"});
}

void Uri::check_parameters(const std::set<std::string>& known) const {
  for (const auto& [name, value] : parameters_) {
    if (known.contains(name)) continue;
    std::string names;
    for (const std::string& each : known) names += (names.empty() ? "" : ", ") + each;
    refuse({where(), "the device has no such parameter", "parameter = " + name, names.empty() ? "none" : names,
            "remove it"});
  }
}

void Uri::check_no_path() const {
  if (path_.empty()) return;
  refuse({where(), "the device takes no path", "path = " + path_, "", "name it " + scheme_ + ":"});
}

void Uri::check_path(const std::string& example) const {
  if (!path_.empty()) return;
  refuse({where(), "needs a path", "path = none", "as in " + scheme_ + ":" + example, "name one"});
}

std::string Uri::text(const std::string& parameter, const std::string& otherwise) const {
  const auto found = parameters_.find(parameter);
  return found == parameters_.end() ? otherwise : found->second;
}

std::uint64_t Uri::number(const std::string& parameter, std::uint64_t otherwise, std::uint64_t least,
                          std::uint64_t most) const {
  if (!has(parameter)) return otherwise;
  const std::string given = parameters_.at(parameter);
  const bool is_hex = given.starts_with("0x");
  const char* end = given.data() + given.size();
  std::uint64_t number = 0;
  const auto [stop, failed] = std::from_chars(given.data() + (is_hex ? 2 : 0), end, number, is_hex ? 16 : 10);
  if (failed != std::errc() || stop != end || number < least || number > most) {
    refuse_value(parameter, std::to_string(least) + " .. " + std::to_string(most));
  }
  return number;
}

double Uri::real(const std::string& parameter, double otherwise, double least, double most) const {
  if (!has(parameter)) return otherwise;
  const std::string given = parameters_.at(parameter);
  const char* end = given.data() + given.size();
  double number = 0;
  const auto [stop, failed] = std::from_chars(given.data(), end, number);
  if (failed != std::errc() || stop != end || !(number >= least && number <= most)) {
    refuse_value(parameter, shown(least) + " .. " + shown(most));
  }
  return number;
}

void Uri::refuse_value(const std::string& parameter, const std::string& allowed) const {
  refuse({where(), "the parameter cannot be read", parameter + " = " + parameters_.at(parameter), allowed,
          "correct it"});
}

}  // namespace sterna
