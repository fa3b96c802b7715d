/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the objects in a JPEG file.
 *
 * boxes PACKAGE.sterna IMAGE.jpg */
#include <sterna.h>
#include <stdio.h>
#include <stdlib.h>

/* Ends the program if a call failed. */
static void check(sterna_result result) {
  if (result == STERNA_OK) return;
  fprintf(stderr, "error: %s\n", sterna_last_error());
  exit(1);
}

/* The bytes of a file. */
static unsigned char *read_file(const char *path, size_t *bytes) {
  FILE *file = fopen(path, "rb");
  long size = file && fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
  unsigned char *data = size > 0 ? malloc(size) : NULL;
  if (!data || fseek(file, 0, SEEK_SET) || fread(data, 1, size, file) != (size_t)size) {
    fprintf(stderr, "error: %s: cannot be read\n", path);
    exit(1);
  }
  fclose(file);
  *bytes = size;
  return data;
}

int main(int count, char **arguments) {
  if (count != 3) return fprintf(stderr, "usage: boxes PACKAGE.sterna IMAGE.jpg\n"), 2;
  sterna_image image = {.order = STERNA_JPEG};
  unsigned char *data = read_file(arguments[2], &image.bytes);
  image.pixels = data;
  sterna_package *package;
  sterna_detector *detector;
  sterna_box boxes[STERNA_MOST_BOXES];
  size_t found;
  check(sterna_package_open(arguments[1], &package));
  check(sterna_detector_open(package, NULL, &detector));
  check(sterna_detector_run(detector, &image, boxes, &found));
  for (size_t box = 0; box < found; ++box) {
    printf("%s %.9g: %.9g %.9g %.9g %.9g\n", sterna_detector_class(detector, boxes[box].kind), boxes[box].score,
           boxes[box].left, boxes[box].top, boxes[box].right, boxes[box].bottom);
  }
  sterna_detector_close(detector);
  sterna_package_close(package);
  free(data);
  return 0;
}
