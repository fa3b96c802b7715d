/* SPDX-License-Identifier: Apache-2.0 */
/* How libsterna builds libjpeg-turbo: decoding of 8 bits, in C alone. */
#define JPEG_LIB_VERSION 62
#define LIBJPEG_TURBO_VERSION 2.1.6
#define LIBJPEG_TURBO_VERSION_NUMBER 2001006
#define MEM_SRCDST_SUPPORTED 1
#define BITS_IN_JSAMPLE 8
