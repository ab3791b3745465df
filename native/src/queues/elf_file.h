// A check of a library that dlopen omits before it maps the file.
#pragma once

#include <string>

namespace dispatch_addon {

// The reason why the file must not be loaded, or empty. A truncated library (interrupted copy, full disk) would end the
// process with SIGBUS, because dlopen maps pages that the file does not have. Other defects are left to dlopen.
std::string elfObstacle(const std::string& path);

}  // namespace dispatch_addon
