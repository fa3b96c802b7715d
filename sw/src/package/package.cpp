// SPDX-License-Identifier: Apache-2.0
#include "package/package.h"

#include <sterna/package.h>

#include <filesystem>
#include <fstream>
#include <utility>
#include <vector>

#include "error.h"
#include "package/again.h"
#include "package/container.h"
#include "package/graph_records.h"
#include "package/signature.h"

namespace sterna {
namespace {

/// How a package of the formats before begins: a zip archive.
bool is_older(std::span<const std::uint8_t> data) { return data.size() >= 2 && data[0] == 'P' && data[1] == 'K'; }

Package read(std::span<const std::uint8_t> data) {
  if (is_older(data)) {
    refuse({"", "is a package of an earlier format", "", "format " + std::to_string(STERNA_PACKAGE_FORMAT),
            "write it anew: sterna compile FILE --config NAME -o NEW"});
  }
  const Container container(data);
  ArrayReader arrays(container);
  const std::vector<std::uint8_t> json = unpack(container.section(STERNA_PACKAGE_SECTION_GRAPH));
  Package package;
  try {
    package = read_graph(json, arrays);
  } catch (const Error& error) {
    throw Error(std::string("its graph cannot be read: ") + error.what());
  }
  package.plan = std::make_shared<const PlanRecords>(unpack_plan(container));
  return package;
}

/// The bytes of a package file, or of its signature.
std::vector<std::uint8_t> read_file(const std::string& path) {
  std::error_code failed;
  const bool is_file = std::filesystem::is_regular_file(path, failed);
  const std::uintmax_t size = is_file ? std::filesystem::file_size(path, failed) : 0;
  if (!is_file || failed) refuse({path, "is not a file that can be read", "", "", "name a package file"});
  if (size > STERNA_PACKAGE_MOST_BYTES) {
    refuse({path, "is too large for a package", "bytes = " + std::to_string(size),
            "at most " + std::to_string(STERNA_PACKAGE_MOST_BYTES), "check that it is the right file"});
  }
  std::vector<std::uint8_t> data(size);
  std::ifstream file(path, std::ios::binary);
  if (!file.read(reinterpret_cast<char*>(data.data()), static_cast<std::streamsize>(size))) {
    refuse({path, "the package cannot be read", "", "", "check the path and its permissions"});
  }
  return data;
}

}  // namespace

Package read_package(std::span<const std::uint8_t> data, const std::string& where) {
  try {
    return read(data);
  } catch (const Error& error) {
    throw Error(where + ": " + error.what());
  }
}

Package load_package(const std::string& path) { return read_package(read_file(path), path); }

Package load_signed_package(const std::string& path, const std::string& public_key) {
  const std::vector<std::uint8_t> data = read_file(path);
  if (!std::filesystem::exists(path + kSignatureSuffix)) {
    refuse({path, "is not signed", "", "a package with its signature " + path + kSignatureSuffix,
            "take both from its maker"});
  }
  const std::vector<std::uint8_t> signature = read_file(path + kSignatureSuffix);
  try {
    check_signature(data, {signature.begin(), signature.end()}, public_key);
  } catch (const Error& error) {
    throw Error(path + ": " + error.what());
  }
  return read_package(data, path);
}

}  // namespace sterna
