// What the system's loader does not ask of a library before it maps it.
#pragma once

#include <string>

namespace dispatch_addon {

// Why the file must not be loaded, or empty. A library that was cut short (a copy that was interrupted, a full disk) would
// end the process with SIGBUS, because dlopen maps what the file does not have. Anything else is left to dlopen to refuse.
std::string elfObstacle(const std::string& path);

}  // namespace dispatch_addon
