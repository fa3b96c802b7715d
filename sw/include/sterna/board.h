/* SPDX-License-Identifier: Apache-2.0 */
/* What boards of Sterna's own look like to a driver.
 *
 * Written by `make spec-files` from python/sterna/spec: change it there.
 */

#ifndef STERNA_BOARD_H
#define STERNA_BOARD_H

#include <stdint.h>

/* The vendor of a card: that of the FPGA's maker. */
#define STERNA_PCIE_VENDOR UINT32_C(0x1172)
/* A card's device, the letters "ST". */
#define STERNA_PCIE_DEVICE UINT32_C(0x5354)
/* The region (BAR) that shows the card's memory. */
#define STERNA_PCIE_MEMORY_BAR 2
/* The region with the engine's registers. */
#define STERNA_PCIE_REGISTERS_BAR 4
/* Where the engine sees the first byte of the card's memory. */
#define STERNA_PCIE_MEMORY UINT64_C(0x0)

/* The device of the memory in a system on chip. */
#define STERNA_SOC_MEMORY "/dev/udmabuf-sterna"

#endif /* STERNA_BOARD_H */
