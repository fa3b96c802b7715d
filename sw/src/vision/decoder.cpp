// SPDX-License-Identifier: Apache-2.0
#include "vision/decoder.h"

#include <algorithm>
#include <variant>

#include "error.h"

namespace sterna {
namespace {

constexpr char kKind[] = "yolov2", kAgain[] = "give a package of a graph made by sterna train";
/// An anchor so many times as large as the map is in pixels: published ones stay below it.
constexpr double kFar = 6;

[[noreturn]] void refuse_no_detector(const std::string& value, const std::string& allowed) {
  refuse({"graph", "is not a detector", value, allowed, kAgain});
}

std::size_t only_output(const Graph& graph) {
  std::vector<std::size_t> found;
  for (std::size_t layer = 0; layer < graph.layers().size(); ++layer) {
    if (std::holds_alternative<Output>(graph.layers()[layer].operation)) found.push_back(layer);
  }
  if (found.size() != 1) refuse_no_detector("outputs = " + std::to_string(found.size()), "1");
  return found[0];
}

Aspect aspect_of(const std::string& name) {
  if (name == "stretch") return Aspect::stretch;
  if (name == "letterbox") return Aspect::letterbox;
  refuse({"graph metadata", "there is no such aspect", "aspect = " + name, "stretch, letterbox", "name one of these"});
}

void check_cells(const std::vector<std::array<double, 2>>& anchors, const Head& head) {
  const auto is_far = [&](const auto& sides) { return sides[0] > kFar * head.width || sides[1] > kFar * head.height; };
  const auto is_whole = [&](const auto& sides) { return sides[0] > head.width && sides[1] > head.height; };
  if (std::ranges::none_of(anchors, is_far) && !std::ranges::all_of(anchors, is_whole)) return;
  refuse({"graph metadata", "anchors larger than the whole image, so probably in pixels", "",
          std::to_string(head.width) + " x " + std::to_string(head.height) + " cells", "export the graph again"});
}

}  // namespace

Decoder::Decoder(const Package& package, std::optional<Aspect> aspect) : classes_(package.metadata.classes) {
  const Graph& graph = *package.graph;
  const Metadata& metadata = package.metadata;
  if (metadata.kind != kKind || classes_.empty() || metadata.anchors.empty()) {
    refuse_no_detector("kind = " + metadata.kind, std::string(kKind) + " with its classes and anchors");
  }
  output_ = only_output(graph);
  const TensorInfo &input = graph.tensor(graph.input()), &map = graph.tensor(output_);
  if (input.channels != Image::kChannels) {
    refuse_no_detector("channels = " + std::to_string(input.channels), std::to_string(Image::kChannels));
  }
  head_ = {{}, static_cast<int>(classes_.size()), map.height, map.width};
  for (const auto& [width, height] : metadata.anchors) {
    head_.anchors.push_back({static_cast<float>(width), static_cast<float>(height)});
  }
  const std::size_t channels = head_.anchors.size() * head_.fields();
  if (static_cast<std::size_t>(map.channels) != channels) {
    refuse({"graph", "the head does not fit the number of classes", "channels = " + std::to_string(map.channels),
            std::to_string(channels), "export the graph again, with the classes for which it was trained"});
  }
  check_cells(metadata.anchors, head_);
  scale_ = static_cast<float>(map.scale);
  zero_point_ = map.zero_point;
  input_height_ = input.height;
  input_width_ = input.width;
  aspect_ = aspect ? *aspect : aspect_of(metadata.aspect);
}

std::size_t Decoder::frame_bytes() const {
  return static_cast<std::size_t>(input_height_) * input_width_ * Image::kChannels;
}

void Decoder::frame(const Image& image, Resizer& resizer, FrameLayout layout, std::int8_t* frame) const {
  fit(image.height, image.width).frame(image, resizer, layout, frame);
}

std::vector<Box> Decoder::boxes(const std::int8_t* head, int height, int width, const BoxLimits& limits) const {
  const std::vector<Box> found = decode(head_, head, scale_, zero_point_, limits.threshold);
  std::vector<Box> kept;
  for (std::size_t box : suppress(found, limits.overlap, kMostBoxes)) kept.push_back(found[box]);
  return fit(height, width).in_pixels(kept);
}

}  // namespace sterna
