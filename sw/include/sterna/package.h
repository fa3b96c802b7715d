/* SPDX-License-Identifier: Apache-2.0 */
/* The package: the file of a model for an engine.
 *
 * Everything is little-endian. Fields of headers have offsets and sizes in bytes (_OFFSET, _SIZE).
 * Names of sections are the number that their letters make.
 *
 * Written by `make spec-files` from python/sterna/spec: change it there.
 */

#ifndef STERNA_PACKAGE_H
#define STERNA_PACKAGE_H

#include <stdint.h>

/* The first bytes of a package, the letters "STERNAPK". */
#define STERNA_PACKAGE_MAGIC UINT64_C(0x4b50414e52455453)
/* Version of the package's format. */
#define STERNA_PACKAGE_FORMAT UINT32_C(0x4)
/* Bytes of a package at most. */
#define STERNA_PACKAGE_MOST_BYTES 218103808
/* Sections of a package at most, known or not. */
#define STERNA_PACKAGE_MOST_SECTIONS 32
/* Weights of a graph at most. */
#define STERNA_PACKAGE_MOST_WEIGHTS 100663296
/* In `gaps`: so many zeros, and no nonzero yet. */
#define STERNA_PACKAGE_RUN 255
/* In `filters`: no filter. */
#define STERNA_PACKAGE_ABSENT UINT32_C(0xffff)
/* Bytes that `graph` unpacks to at most. */
#define STERNA_PACKAGE_MOST_GRAPH 1048576
/* Bytes that `gaps` unpacks to at most. */
#define STERNA_PACKAGE_MOST_GAPS 100663296
/* Bytes that `signs` unpacks to at most. */
#define STERNA_PACKAGE_MOST_SIGNS 12582912
/* Bytes that `values` unpacks to at most. */
#define STERNA_PACKAGE_MOST_VALUES 100663296
/* Bytes that `integers` unpacks to at most. */
#define STERNA_PACKAGE_MOST_INTEGERS 16777216
/* Bytes that `config` unpacks to at most. */
#define STERNA_PACKAGE_MOST_CONFIG 65536
/* Bytes that `schedule` unpacks to at most. */
#define STERNA_PACKAGE_MOST_SCHEDULE 1048576
/* Bytes that `filters` unpacks to at most. */
#define STERNA_PACKAGE_MOST_FILTERS 4194304
/* Bytes that `cycles` unpacks to at most. */
#define STERNA_PACKAGE_MOST_CYCLES 1048576

/* The sections that this version knows, by the number that their letters make. */
/* JSON: the layers, without their arrays */
#define STERNA_PACKAGE_SECTION_GRAPH UINT64_C(0x6870617267)
/* zeros before each nonzero ternary weight */
#define STERNA_PACKAGE_SECTION_GAPS UINT64_C(0x73706167)
/* a bit for each nonzero ternary weight */
#define STERNA_PACKAGE_SECTION_SIGNS UINT64_C(0x736e676973)
/* a byte for each weight of several digits and each entry of an input table */
#define STERNA_PACKAGE_SECTION_VALUES UINT64_C(0x7365756c6176)
/* multipliers and biases of requantisation */
#define STERNA_PACKAGE_SECTION_INTEGERS UINT64_C(0x7372656765746e69)
/* JSON: the engine config */
#define STERNA_PACKAGE_SECTION_CONFIG UINT64_C(0x6769666e6f63)
/* JSON: what the compiler decided */
#define STERNA_PACKAGE_SECTION_SCHEDULE UINT64_C(0x656c756465686373)
/* the order of filters in each part of a layer */
#define STERNA_PACKAGE_SECTION_FILTERS UINT64_C(0x737265746c6966)
/* JSON: the expected cycles; optional */
#define STERNA_PACKAGE_SECTION_CYCLES UINT64_C(0x73656c637963)

/* The first bytes of a package. */
#define STERNA_PACKAGE_HEADER_SIZE 32
/* the letters "STERNAPK" */
#define STERNA_PACKAGE_HEADER_MAGIC_OFFSET 0
#define STERNA_PACKAGE_HEADER_MAGIC_SIZE 8
/* version of the format */
#define STERNA_PACKAGE_HEADER_FORMAT_OFFSET 8
#define STERNA_PACKAGE_HEADER_FORMAT_SIZE 4
/* number of sections that follow */
#define STERNA_PACKAGE_HEADER_SECTIONS_OFFSET 12
#define STERNA_PACKAGE_HEADER_SECTIONS_SIZE 4
/* length of the whole package in bytes */
#define STERNA_PACKAGE_HEADER_BYTES_OFFSET 16
#define STERNA_PACKAGE_HEADER_BYTES_SIZE 8
/* CRC-32 of the bytes before it */
#define STERNA_PACKAGE_HEADER_CRC_OFFSET 28
#define STERNA_PACKAGE_HEADER_CRC_SIZE 4

/* Comes before each section's payload, which is packed by raw Deflate (RFC 1951). */
#define STERNA_SECTION_HEADER_SIZE 40
/* up to eight letters, filled up with zeros */
#define STERNA_SECTION_HEADER_NAME_OFFSET 0
#define STERNA_SECTION_HEADER_NAME_SIZE 8
/* 1: a reader that does not know the section refuses the package; 0: it skips it */
#define STERNA_SECTION_HEADER_MANDATORY_OFFSET 8
#define STERNA_SECTION_HEADER_MANDATORY_SIZE 1
/* CRC-32 of the payload as it lies in the package */
#define STERNA_SECTION_HEADER_PAYLOAD_CRC_OFFSET 12
#define STERNA_SECTION_HEADER_PAYLOAD_CRC_SIZE 4
/* length of the payload as it lies in the package */
#define STERNA_SECTION_HEADER_PACKED_BYTES_OFFSET 16
#define STERNA_SECTION_HEADER_PACKED_BYTES_SIZE 8
/* length of the payload when it is unpacked */
#define STERNA_SECTION_HEADER_BYTES_OFFSET 24
#define STERNA_SECTION_HEADER_BYTES_SIZE 8
/* CRC-32 of the bytes before it */
#define STERNA_SECTION_HEADER_CRC_OFFSET 36
#define STERNA_SECTION_HEADER_CRC_SIZE 4

#endif /* STERNA_PACKAGE_H */
