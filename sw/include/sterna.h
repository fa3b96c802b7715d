/* SPDX-License-Identifier: Apache-2.0 */
/* libsterna in C: read a package, find objects in images with it, or execute its graph layer by layer.
 *
 * Handles are opaque. A function that can fail returns a sterna_result, STERNA_OK if it did not; then
 * sterna_last_error() says in one line what is wrong, where, and how to put it right. Results are given
 * through the pointers at the end of the parameters, and are written only if the call succeeds.
 * Nothing is thrown out of the library, and nothing in a package runs code.
 *
 * Threads: any functions may be called by any threads at a time, if no thread closes a handle that
 * another one uses. A call that fails changes the text of its own thread alone. */
#ifndef STERNA_H
#define STERNA_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define STERNA_API __attribute__((visibility("default")))
#else
#define STERNA_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* What became of a call. */
typedef enum sterna_result {
  STERNA_OK = 0,
  /* A file or a value in it is not as it should be. */
  STERNA_REFUSED = 1,
  /* The call itself is wrong: a null pointer, a number out of range, a buffer of another size. */
  STERNA_BAD_CALL = 2,
  /* There is not enough memory. */
  STERNA_NO_MEMORY = 3,
  /* A fault of the library or the system. */
  STERNA_FAILED = 4,
  /* As many frames are in flight as there may be: wait for one first. */
  STERNA_FULL = 5,
  /* No frame is in flight. */
  STERNA_EMPTY = 6
} sterna_result;

/* A package that was read. It never changes. */
typedef struct sterna_package sterna_package;

/* A package's graph, made ready to be executed on the CPU. */
typedef struct sterna_emulator sterna_emulator;

/* A layer, and the map that it makes: int8 [channels][height][width], whose integers stand for
 * scale * (integer - zero_point). */
typedef struct sterna_layer {
  /* Ends with a zero; belongs to the package and is there until it is closed. */
  const char *name;
  int32_t channels;
  int32_t height;
  int32_t width;
  int32_t zero_point;
  double scale;
  /* 1 for the graph's input, or for one of its outputs; 0 for other layers. */
  int32_t is_input;
  int32_t is_output;
} sterna_layer;

/* The version of the library, such as "1.2.3". The text is there always. */
STERNA_API const char *sterna_version(void);

/* What a result means, in a few words, for any number. The text is there always. */
STERNA_API const char *sterna_result_text(sterna_result result);

/* The refusal of the last call of this thread that failed, in one line; empty if none did. The text is
 * there until the next call of this thread that fails. */
STERNA_API const char *sterna_last_error(void);

/* Reads a package file.
 * path: ends with a zero; read during the call.
 * package: the new handle; the caller closes it. */
STERNA_API sterna_result sterna_package_open(const char *path, sterna_package **package);

/* Reads a package file that must be signed, and refuses it unless it is. Its signature, made by minisign or
 * `sterna sign`, is the file beside it whose name has ".minisig" at the end.
 * path: ends with a zero; read during the call.
 * public_key: the text of the signer's file of a public key, or its last line; ends with a zero; read during
 *   the call.
 * package: the new handle; the caller closes it. */
STERNA_API sterna_result sterna_package_open_signed(const char *path, const char *public_key,
                                                    sterna_package **package);

/* Reads a package from memory.
 * data: `bytes` bytes of a package file; read during the call, not kept.
 * package: the new handle; the caller closes it. */
STERNA_API sterna_result sterna_package_read(const void *data, size_t bytes, sterna_package **package);

/* Closes a package. Its emulators go on working. Null is ignored. */
STERNA_API void sterna_package_close(sterna_package *package);

/* The number of layers of a package's graph; 0 for null. */
STERNA_API size_t sterna_package_layers(const sterna_package *package);

/* Describes a layer.
 * index: below sterna_package_layers; layers are in the order in which they are computed.
 * layer: where to write the description, which the caller owns. */
STERNA_API sterna_result sterna_package_layer(const sterna_package *package, size_t index, sterna_layer *layer);

/* Makes a package's graph ready.
 * package: may be closed afterwards.
 * layers: `count` indices of the layers whose maps are wanted; read during the call, not kept.
 * threads: 1 to 1024 threads that compute; 0: one per core. They change no bit.
 * emulator: the new handle; the caller closes it. */
STERNA_API sterna_result sterna_emulator_open(const sterna_package *package, const size_t *layers, size_t count,
                                              int32_t threads, sterna_emulator **emulator);

/* Executes the graph on an image. Calls for one emulator wait for each other.
 * image: int8 [channels][height][width] of the input, each value of 0 .. 255 less 128; `bytes` bytes,
 *   read during the call.
 * maps: for each layer that is wanted a buffer of its map's size, which the caller owns and which is
 *   written during the call. */
STERNA_API sterna_result sterna_emulator_run(sterna_emulator *emulator, const int8_t *image, size_t bytes,
                                             int8_t *const *maps);

/* Closes an emulator. Null is ignored. */
STERNA_API void sterna_emulator_close(sterna_emulator *emulator);

/* ---- Detection: images to boxes, several at a time ----
 *
 * A detector resizes images, gives them to a device and finds boxes, in threads of its own. Frames come
 * out in the order in which they went in. */

/* A package's detector on a device. */
typedef struct sterna_detector sterna_detector;

/* Boxes of an image at most. */
#define STERNA_MOST_BOXES 100

/* How pixels lie: bytes of red, green and blue, or the reverse, pixel by pixel; a plane of each; or all of
 * them in a JPEG file, which is decoded as it is stored: EXIF does not turn it. */
typedef enum sterna_pixels { STERNA_RGB = 0, STERNA_BGR = 1, STERNA_RGB_PLANES = 2, STERNA_JPEG = 3 } sterna_pixels;

/* What becomes of an image of another aspect than the network's input: what the package says; it is
 * stretched; or it lies whole in the middle of grey. */
typedef enum sterna_aspect { STERNA_AS_PACKAGE = 0, STERNA_STRETCH = 1, STERNA_LETTERBOX = 2 } sterna_aspect;

/* An image. */
typedef struct sterna_image {
  /* The first row's, or the first byte of a JPEG file; they belong to the caller. */
  const uint8_t *pixels;
  /* 1 to 65535 each. A JPEG file has its own, and no stride; at most 89,478,485 pixels. */
  int32_t width;
  int32_t height;
  /* Bytes from row to row, of a plane if there are planes; 0: those of `width` pixels. */
  ptrdiff_t stride;
  sterna_pixels order;
  /* Of a JPEG file. */
  size_t bytes;
} sterna_image;

/* An object: its sides in pixels of the image, its score (0 .. 1), and the number of its class. */
typedef struct sterna_box {
  float left;
  float top;
  float right;
  float bottom;
  float score;
  int32_t kind;
} sterna_box;

/* How a detector works. sterna_detector_defaults fills it. */
typedef struct sterna_detector_options {
  /* What executes the graph: "emulator:", "emulator:?threads=N"; or an engine, for which the package has to
   * hold its tape: "sim:PROGRAM", "soc:/dev/uio0", "pcie:0000:03:00.0". Ends with a zero. */
  const char *device;
  /* Least score of a box, and largest intersection over union of two boxes of a class; 0 .. 1. */
  float threshold;
  float overlap;
  sterna_aspect aspect;
  /* Threads that resize images and find boxes, beside the device: 1 to 256. They change no bit. */
  int32_t threads;
  /* Frames that may be in flight: 1 to 1024. */
  int32_t frames;
} sterna_detector_options;

/* Fills `options`, which the caller owns: "emulator:", 0.3, 0.45, as the package says, 1 thread, 4 frames.
 * Null is ignored. */
STERNA_API void sterna_detector_defaults(sterna_detector_options *options);

/* Opens the detector that a package holds.
 * package: may be closed afterwards.
 * options: read during the call, not kept; null: the defaults.
 * detector: the new handle; the caller closes it. */
STERNA_API sterna_result sterna_detector_open(const sterna_package *package, const sterna_detector_options *options,
                                              sterna_detector **detector);

/* The number of classes; 0 for null. */
STERNA_API size_t sterna_detector_classes(const sterna_detector *detector);

/* The name of class number `kind`, which is there until the detector is closed; null if there is none. */
STERNA_API const char *sterna_detector_class(const sterna_detector *detector, size_t kind);

/* Puts a frame in flight and returns at once.
 * image: read during the call; its pixels must stay as they are until sterna_detector_wait has given the
 *   frame, or the detector is closed.
 * ticket: the number of the frame, counted from 0; may be null.
 * Gives STERNA_FULL, without a text, if as many frames are in flight as options allow. A frame is in flight
 * until it is waited for. */
STERNA_API sterna_result sterna_detector_submit(sterna_detector *detector, const sterna_image *image,
                                                uint64_t *ticket);

/* Waits for the oldest frame in flight that no other thread waits for.
 * boxes: room for STERNA_MOST_BOXES boxes, which the caller owns; they are written best first.
 * count: how many were written.
 * ticket: the number of the frame; may be null. It is written if the frame failed, too: the result and
 *   sterna_last_error() are then those of this frame, and later frames are not touched by it.
 * Gives STERNA_EMPTY, without a text, if no frame is in flight. */
STERNA_API sterna_result sterna_detector_wait(sterna_detector *detector, sterna_box *boxes, size_t *count,
                                              uint64_t *ticket);

/* Finds the objects in one image: sterna_detector_submit and sterna_detector_wait at once. Several threads may
 * do so; a frame in flight that was submitted otherwise has to be waited for before.
 * image: read during the call, with its pixels.
 * boxes, count: as those of sterna_detector_wait. */
STERNA_API sterna_result sterna_detector_run(sterna_detector *detector, const sterna_image *image, sterna_box *boxes,
                                             size_t *count);

/* Closes a detector, while no other call uses it; frames in flight are given up. Null is ignored. */
STERNA_API void sterna_detector_close(sterna_detector *detector);

#ifdef __cplusplus
}
#endif

#endif /* STERNA_H */
