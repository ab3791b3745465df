// The door: one Lane for each environment (the main thread, each Worker), never anything static that holds a
// Node-API value, so that environments can come and go in any order.
#include <node_api.h>

#include "../threads/lane.h"

NAPI_MODULE_INIT(/* napi_env env, napi_value exports */) {
  return dispatch_addon::Lane::install(env, exports);
}
