// Queues, groups and messages between lanes as JavaScript calls them.
#pragma once

#include <node_api.h>

namespace dispatch_addon {

class Lane;

void installQueueCalls(napi_env env, napi_value exports, Lane& lane);

}  // namespace dispatch_addon
