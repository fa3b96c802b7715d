// SPDX-License-Identifier: Apache-2.0
// Finds the objects in raw frames on standard input, bytes of red, green and blue; several are in flight.
//
// ffmpeg -i VIDEO -f rawvideo -pix_fmt rgb24 - | stream PACKAGE.sterna WIDTH HEIGHT
#include <sterna.hpp>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

int main(int count, char** arguments) {
  if (count != 4) {
    std::cerr << "usage: stream PACKAGE.sterna WIDTH HEIGHT < FRAMES\n";
    return 2;
  }
  try {
    const sterna::Package package(arguments[1]);
    sterna::DetectorOptions options;
    options.threads = 2;
    const sterna::Detector detector(package, options);
    const std::vector<std::string> classes = detector.classes();
    const int width = std::atoi(arguments[2]), height = std::atoi(arguments[3]);

    std::size_t read = 0, shown = 0;
    const auto show = [&](const std::vector<sterna_box>& boxes) {
      std::printf("frame %zu:", shown++);
      for (const sterna_box& box : boxes) {
        std::printf(" %s %.9g (%.9g %.9g %.9g %.9g)", classes[box.kind].c_str(), box.score, box.left, box.top, box.right,
                    box.bottom);
      }
      std::printf("\n");
    };

    // One buffer more than frames in flight: that which is filled is none of theirs.
    std::vector<std::vector<unsigned char>> buffers(options.frames + 1);
    for (auto& buffer : buffers) buffer.resize(std::size_t{3} * width * height);
    while (true) {
      auto& pixels = buffers[read % buffers.size()];
      if (std::fread(pixels.data(), 1, pixels.size(), stdin) != pixels.size()) break;
      while (!detector.submit({pixels.data(), width, height, 0, STERNA_RGB, 0})) show(*detector.wait());
      ++read;
    }
    while (const auto boxes = detector.wait()) show(*boxes);
  } catch (const sterna::Error& error) {
    std::cerr << "error: " << error.what() << "\n";
    return 1;
  }
}
