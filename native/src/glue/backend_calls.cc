#include "backend_calls.h"

#include "../threads/lane.h"
#include "../queues/libdispatch.h"
#include "value.h"

namespace dispatch_addon {
namespace {

napi_value dispatchInfo(napi_env env, napi_callback_info info) {
  Arguments<0> args(env, info);
  auto* lane = static_cast<Lane*>(args.data());
  const LibdispatchReport& report = libdispatchReport();
  napi_value object = nullptr;
  napi_create_object(env, &object);
  setProperty(env, object, "found", makeBool(env, report.found));
  if (report.found) {
    setProperty(env, object, "path", makeString(env, report.path));
    setProperty(env, object, "roundTripUs", makeDouble(env, report.roundTripUs));
  }
  napi_value refused = nullptr;
  napi_create_array_with_length(env, report.refused.size(), &refused);
  uint32_t at = 0;
  for (const std::string& line : report.refused) napi_set_element(env, refused, at++, makeString(env, line));
  setProperty(env, object, "refused", refused);
  if (report.found) {
    // "main" is the main queue itself, "lane" a root of its own, "none" where only native jobs can run.
    const char* root = lane->root() == nullptr ? "none" : lane->root()->isMain() ? "main" : "lane";
    setProperty(env, object, "root", makeString(env, root));
    const std::string& obstacle = lane->root() == nullptr ? lane->rootObstacle() : report.laneObstacle;
    if (!obstacle.empty()) setProperty(env, object, "laneObstacle", makeString(env, obstacle));
  }
  return object;
}

}  // namespace

void installBackendCalls(napi_env env, napi_value exports, Lane& lane) {
  setFunction(env, exports, "dispatchInfo", dispatchInfo, &lane);
}

}  // namespace dispatch_addon
