// The network path of Linux as JavaScript calls it. Connections are JavaScript's own there
// (lib/network/datagram-flow.js).
#include "../glue/call.h"

#if defined(__linux__) && !defined(DISPATCH_ADDON_NW_DOUBLE)

#include "path_monitor.h"

namespace dispatch_addon {
namespace {

// Returns the monitor, or the reason why there is none.
napi_value pathMonitorStart(Lane& lane, uint32_t id) {
  std::shared_ptr<PathMonitor> monitor;
  const std::string refused = PathMonitor::start(lane, id, monitor);
  return refused.empty() ? toValue(lane.env(), monitor) : toValue(lane.env(), refused);
}

}  // namespace

Calls networkCalls() {
  return {
      {"pathMonitorStart", call<pathMonitorStart>},
      {"pathMonitorStop", call<&PathMonitor::stop>},
  };
}

}  // namespace dispatch_addon

#endif
