/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the objects in an image, given as bytes of red, green and blue, pixel by pixel and row by row.
 *
 * boxes PACKAGE.sterna WIDTH HEIGHT IMAGE.rgb */
#include <sterna.h>
#include <stdio.h>
#include <stdlib.h>

/* Ends the program if a call failed. */
static void check(sterna_result result) {
  if (result == STERNA_OK) return;
  fprintf(stderr, "error: %s\n", sterna_last_error());
  exit(1);
}

int main(int count, char **arguments) {
  if (count != 5) return fprintf(stderr, "usage: boxes PACKAGE.sterna WIDTH HEIGHT IMAGE.rgb\n"), 2;
  sterna_image image = {.width = atoi(arguments[2]), .height = atoi(arguments[3]), .order = STERNA_RGB};
  size_t bytes = (size_t)3 * image.width * image.height;
  unsigned char *pixels = malloc(bytes);
  FILE *file = fopen(arguments[4], "rb");
  if (!pixels || !file || fread(pixels, 1, bytes, file) != bytes) {
    fprintf(stderr, "error: %s: has not the %zu bytes of the image\n", arguments[4], bytes);
    return 1;
  }
  image.pixels = pixels;

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
  fclose(file);
  free(pixels);
  return 0;
}
