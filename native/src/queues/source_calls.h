// dispatch_source_t as JavaScript calls it: timers, readable and writable descriptors, data that is merged.
#pragma once

#include <node_api.h>

namespace dispatch_addon {

class Lane;

void installSourceCalls(napi_env env, napi_value exports, Lane& lane);

}  // namespace dispatch_addon
