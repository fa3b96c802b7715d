// SPDX-License-Identifier: Apache-2.0
// Lists the layers of a package, and the sum of the values that each makes of a grey image.
//
// layers PACKAGE.sterna
#include <sterna.hpp>

#include <iostream>
#include <numeric>
#include <vector>

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: layers PACKAGE.sterna\n";
    return 2;
  }
  try {
    const sterna::Package package(arguments[1]);
    const std::vector<sterna_layer> layers = package.layers();
    std::vector<std::size_t> all(layers.size());
    std::iota(all.begin(), all.end(), 0);
    const sterna::Emulator emulator(package, all);
    const sterna_layer& input = layers[0];
    const sterna::Emulator::Map grey(std::size_t{1} * input.channels * input.height * input.width, 0);
    const std::vector<sterna::Emulator::Map> maps = emulator.run(grey);
    for (std::size_t index : all) {
      const sterna_layer& layer = layers[index];
      std::cout << layer.name << " [" << layer.channels << ", " << layer.height << ", " << layer.width << "]: "
                << std::accumulate(maps[index].begin(), maps[index].end(), 0LL) << "\n";
    }
  } catch (const sterna::Error& error) {
    std::cerr << "error: " << error.what() << "\n";
    return 1;
  }
}
