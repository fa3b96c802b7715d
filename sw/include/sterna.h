/* SPDX-License-Identifier: Apache-2.0 */
/* libsterna in C: read a package and execute its graph on this machine, exactly.
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
  STERNA_FAILED = 4
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

#ifdef __cplusplus
}
#endif

#endif /* STERNA_H */
