#include "network_calls.h"

#include "../threads/lane.h"

#if defined(__linux__) && !defined(DISPATCH_ADDON_NW_DOUBLE)

#include "../glue/box.h"
#include "path_monitor.h"
#include "../glue/value.h"

namespace dispatch_addon {
namespace {

// (id): the monitor, or why there is none.
napi_value pathMonitorStart(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  uint32_t id = 0;
  if (!readUint32(env, args[0], id)) return nullptr;
  std::shared_ptr<PathMonitor> monitor;
  const std::string refused = PathMonitor::start(*static_cast<Lane*>(args.data()), id, monitor);
  return refused.empty() ? box(env, BoxType::path, monitor) : makeString(env, refused);
}

napi_value pathMonitorStop(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  const auto monitor = unbox<PathMonitor>(env, BoxType::path, args[0]);
  if (monitor != nullptr) monitor->stop();
  return nullptr;
}

}  // namespace

void installNetworkCalls(napi_env env, napi_value exports, Lane& lane) {
  setFunction(env, exports, "pathMonitorStart", pathMonitorStart, &lane);
  setFunction(env, exports, "pathMonitorStop", pathMonitorStop, &lane);
}

}  // namespace dispatch_addon

#endif
