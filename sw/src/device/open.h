// SPDX-License-Identifier: Apache-2.0
// Devices by their names.
#pragma once

#include <memory>
#include <string>

#include "device/device.h"
#include "package/package.h"

namespace sterna {

/// The device that `uri` names, ready for `package`: `emulator:` (0 threads, or none named: one per core), `sim:PROGRAM`
/// or `sim:FOLDER` with the simulator in it, `soc:/dev/uio0`, `pcie:0000:03:00.0`; docs/reference/c.md lists their
/// parameters. Engines need a package with its tape. Throws `Error` for what is no name of a device, and for what the
/// device refuses.
std::unique_ptr<Device> open_device(const std::string& uri, const Package& package);

}  // namespace sterna
