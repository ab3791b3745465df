// Native jobs and pinned threads as JavaScript calls them.
#pragma once

#include <node_api.h>

namespace dispatch_addon {

class Lane;

void installJobCalls(napi_env env, napi_value exports, Lane& lane);

}  // namespace dispatch_addon
