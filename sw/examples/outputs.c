/* SPDX-License-Identifier: Apache-2.0 */
/* Executes a package on an image, given as bytes of red, green and blue, pixel by pixel and row by row, and says of each
 * output where its largest value is.
 *
 * outputs PACKAGE.sterna IMAGE.rgb */
#include <sterna.h>
#include <stdio.h>
#include <stdlib.h>

static size_t size_of(const sterna_layer *layer) { return (size_t)layer->channels * layer->height * layer->width; }

/* Ends the program if a call failed. */
static void check(sterna_result result) {
  if (result == STERNA_OK) return;
  fprintf(stderr, "error: %s\n", sterna_last_error());
  exit(1);
}

/* The pixels in a file as int8 [channels][height][width], less 128. */
static int8_t *read_image(const char *path, const sterna_layer *input) {
  size_t size = size_of(input), pixels = size / input->channels;
  unsigned char *bytes = malloc(size);
  int8_t *image = malloc(size);
  FILE *file = fopen(path, "rb");
  if (!bytes || !image || !file || fread(bytes, 1, size, file) != size) {
    fprintf(stderr, "error: %s: has not the %zu bytes of the package's image\n", path, size);
    exit(1);
  }
  for (size_t at = 0; at < size; ++at) image[at % input->channels * pixels + at / input->channels] = bytes[at] - 128;
  fclose(file);
  free(bytes);
  return image;
}

int main(int count, char **arguments) {
  if (count != 3) return fprintf(stderr, "usage: outputs PACKAGE.sterna IMAGE.rgb\n"), 2;
  sterna_package *package;
  check(sterna_package_open(arguments[1], &package));
  int8_t *image = NULL, *map;
  size_t bytes = 0;
  for (size_t index = 0; index < sterna_package_layers(package); ++index) {
    sterna_layer layer;
    check(sterna_package_layer(package, index, &layer));
    if (layer.is_input) image = read_image(arguments[2], &layer), bytes = size_of(&layer);
    if (!layer.is_output) continue;
    sterna_emulator *emulator;
    check(sterna_emulator_open(package, &index, 1, 0, &emulator));
    if (!(map = malloc(size_of(&layer)))) return 1;
    check(sterna_emulator_run(emulator, image, bytes, &map));
    size_t most = 0;
    for (size_t at = 0; at < size_of(&layer); ++at) most = map[at] > map[most] ? at : most;
    printf("%s [%d, %d, %d]: %d at %zu\n", layer.name, layer.channels, layer.height, layer.width, map[most], most);
    sterna_emulator_close(emulator);
    free(map);
  }
  free(image);
  sterna_package_close(package);
}
