// SPDX-License-Identifier: Apache-2.0
#include "vision/jpeg.h"

#include <array>
#include <csetjmp>
#include <cstdio>
#include <string>

#include <jpeglib.h>
// Its messages' numbers; it needs jpeglib.h.
#include <jerror.h>

#include "error.h"

namespace sterna {
namespace {

constexpr char kAgain[] = "save the image again as a JPEG of grey or RGB";

/// A decoder, and where it jumps to when it fails: libjpeg's functions do not return then.
struct Decompress {
  jpeg_decompress_struct state{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::jmp_buf failed;
  std::array<char, JMSG_LENGTH_MAX> reason{};
  bool has_many_scans = false;

  static Decompress& of(j_common_ptr state) { return *static_cast<Decompress*>(state->client_data); }

  static void fail(j_common_ptr state) {
    state->err->format_message(state, of(state).reason.data());
    std::longjmp(of(state).failed, 1);
  }

  /// Of an image that is cut off libjpeg invents the rest.
  static void warn(j_common_ptr state, int level) {
    if (level < 0 && state->err->msg_code == JWRN_JPEG_EOF) fail(state);
  }

  static void count_scans(j_common_ptr state) {
    if (reinterpret_cast<j_decompress_ptr>(state)->input_scan_number <= JpegReader::kMostScans) return;
    of(state).has_many_scans = true;
    std::longjmp(of(state).failed, 1);
  }

  Decompress() {
    state.err = jpeg_std_error(&errors);
    errors.error_exit = fail;
    errors.emit_message = warn;
    progress.progress_monitor = count_scans;
    state.client_data = this;
  }
  ~Decompress() { jpeg_destroy_decompress(&state); }

  /// Each returns false if it failed. No object of theirs has to be destroyed, which the jump would leave out.
  bool begin(std::span<const std::uint8_t> data) {
    if (setjmp(failed)) return false;
    jpeg_create_decompress(&state);
    state.progress = &progress;
    jpeg_mem_src(&state, data.data(), data.size());
    jpeg_read_header(&state, TRUE);
    state.out_color_space = JCS_RGB;
    jpeg_calc_output_dimensions(&state);
    return true;
  }

  bool finish(std::uint8_t* pixels, std::size_t stride) {
    if (setjmp(failed)) return false;
    jpeg_start_decompress(&state);
    while (state.output_scanline < state.output_height) {
      JSAMPROW row = pixels + state.output_scanline * stride;
      jpeg_read_scanlines(&state, &row, 1);
    }
    jpeg_finish_decompress(&state);
    return true;
  }

  [[noreturn]] void refuse_it() const {
    if (has_many_scans) {
      refuse({"JPEG", "has too many scans", "", "at most " + std::to_string(JpegReader::kMostScans), kAgain});
    }
    refuse({"JPEG", std::string("cannot be read (") + reason.data() + ")", "", "", kAgain});
  }
};

}  // namespace

Image JpegReader::read(std::span<const std::uint8_t> data) {
  Decompress decompress;
  if (!decompress.begin(data)) decompress.refuse_it();
  const std::size_t width = decompress.state.output_width, height = decompress.state.output_height;
  if (width * height > kMostPixels) {
    refuse({"JPEG", "has too many pixels", std::to_string(width) + " x " + std::to_string(height),
            "at most " + std::to_string(kMostPixels), "scale or crop it"});
  }
  const std::size_t stride = width * Image::kChannels;
  pixels_.resize(stride * height);
  if (!decompress.finish(pixels_.data(), stride)) decompress.refuse_it();
  return {pixels_.data(), static_cast<int>(height), static_cast<int>(width), static_cast<std::ptrdiff_t>(stride)};
}

}  // namespace sterna
