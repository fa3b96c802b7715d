// SPDX-License-Identifier: Apache-2.0
// Devices by their names.
#pragma once

#include <memory>
#include <string>

#include "device/device.h"
#include "package/package.h"

namespace sterna {

/// The device that `uri` names, ready for `package`: `emulator:` or `emulator:?threads=2`; 0 threads, or none named:
/// one per core. Throws `Error` for what is no name of a device, and for what the device refuses.
std::unique_ptr<Device> open_device(const std::string& uri, const Package& package);

}  // namespace sterna
