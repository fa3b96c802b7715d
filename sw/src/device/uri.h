// SPDX-License-Identifier: Apache-2.0
// The name of a device: `SCHEME:PATH?PARAMETER=VALUE&...`, as `sterna.run.uri` of the Python package reads it.
//
// What it cannot hold as it is (`?`, `%`, `&`) is written in percent, as `%3F`. Without a path and parameters the colon
// may be left out.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

namespace sterna {

class Uri {
 public:
  /// Throws `Error` for what has no scheme, or something other than parameters, each once, after its `?`.
  explicit Uri(const std::string& text);

  const std::string& scheme() const { return scheme_; }
  const std::string& path() const { return path_; }
  bool has(const std::string& parameter) const { return parameters_.contains(parameter); }

  /// Refuses parameters that are not among `known`.
  void check_parameters(const std::set<std::string>& known) const;
  void check_no_path() const;
  /// Refuses a name without a path; `example` is one with it.
  void check_path(const std::string& example) const;

  /// The value of a parameter, or `otherwise` if it is not given. Throws for what is none or out of range.
  std::string text(const std::string& parameter, const std::string& otherwise) const;
  std::uint64_t number(const std::string& parameter, std::uint64_t otherwise, std::uint64_t least,
                       std::uint64_t most) const;
  double real(const std::string& parameter, double otherwise, double least, double most) const;

 private:
  std::string where() const { return "device '" + text_ + "'"; }
  [[noreturn]] void refuse_value(const std::string& parameter, const std::string& allowed) const;

  std::string text_, scheme_, path_;
  std::map<std::string, std::string> parameters_;
};

}  // namespace sterna
