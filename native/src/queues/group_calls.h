// dispatch_group_t as JavaScript calls it.
#pragma once

#include <node_api.h>

namespace dispatch_addon {

class Lane;

void installGroupCalls(napi_env env, napi_value exports, Lane& lane);

}  // namespace dispatch_addon
