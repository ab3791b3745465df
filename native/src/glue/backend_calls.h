// What backendInfo() tells about libdispatch and this lane.
#pragma once

#include <node_api.h>

namespace dispatch_addon {

class Lane;

void installBackendCalls(napi_env env, napi_value exports, Lane& lane);

}  // namespace dispatch_addon
