"""What boards and their drivers agree on: names in the device tree, regions of a card, addresses."""

from __future__ import annotations

from sterna.spec.registers import ADDRESS_BITS

#: Bytes of the engine's registers, from their base on.
REGISTER_BYTES = 1 << ADDRESS_BITS

# A system on chip: nodes of the device tree.
#: The node of the engine, and by it the name of its UIO device.
SOC_NODE = "sterna"
#: What UIO's driver answers to, when it is loaded with `of_id` of that name.
SOC_COMPATIBLE = "generic-uio"
#: Where the registers lie in what the processor's bridge shows.
SOC_REGISTERS = 0x0
#: The interrupt from the fabric, counted from the first.
SOC_INTERRUPT = 0
#: The buffer of u-dma-buf, which makes a device file of that name, and what its driver answers to.
SOC_BUFFER, SOC_BUFFER_COMPATIBLE = "udmabuf-sterna", "ikwzm,u-dma-buf"
#: Bytes of it: tape and two frames of YOLOv2-tiny, with room.
SOC_BUFFER_BYTES = 32 << 20

# A PCIe card.
#: Vendor and device: those of the FPGA's maker, and "ST".
PCIE_VENDOR, PCIE_DEVICE = 0x1172, 0x5354
#: Class: a processing accelerator.
PCIE_CLASS = 0x120000
#: The regions (BARs): the descriptor controller of the DMA, the card's memory, the engine's registers.
PCIE_DMA_BAR, PCIE_MEMORY_BAR, PCIE_REGISTERS_BAR = 0, 2, 4
#: Bits of address of the region that shows the card's memory, from its first byte on.
PCIE_WINDOW_BITS = 28
#: Where the engine and the DMA see the card's memory.
PCIE_MEMORY = 0x0
#: Where the DMA keeps its descriptors of reads and of writes; each takes 8 KiB.
PCIE_READ_DESCRIPTORS, PCIE_WRITE_DESCRIPTORS = 0x1_0000_0000, 0x1_0000_2000
