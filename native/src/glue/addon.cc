// The entry of the addon: one Lane for each environment (the main thread, each Worker). Nothing static holds a Node-API
// value, so environments can start and end in any order.
#include "../ciphers/openssl.h"
#include "../queues/libdispatch.h"
#include "../threads/lane.h"
#include "call.h"

namespace dispatch_addon {
namespace {

bool available(Needs needs) {
  switch (needs) {
    case Needs::nothing: return true;
    case Needs::libdispatch: return Libdispatch::find() != nullptr;
    case Needs::openssl: return OpenSsl::find() != nullptr;
  }
  return false;
}

napi_value exportCalls(napi_env env, napi_value exports) {
  Lane* lane = Lane::start(env);
  if (lane == nullptr) return fail(env, "ERR_ADDON", "the event loop of this thread takes no handles");
  std::vector<napi_property_descriptor> properties;
  for (const Calls& calls : {laneCalls(), threadCalls(), queueCalls(), groupCalls(), sourceCalls(), cipherCalls(),
                             jobCalls(), networkCalls()}) {
    for (const Call& one : calls) {
      if (!available(one.needs)) continue;
      properties.push_back({one.name, nullptr, one.callback, nullptr, nullptr, nullptr, napi_default_jsproperty, lane});
    }
  }
  napi_define_properties(env, exports, properties.size(), properties.data());
  return exports;
}

}  // namespace
}  // namespace dispatch_addon

NAPI_MODULE_INIT(/* napi_env env, napi_value exports */) { return dispatch_addon::exportCalls(env, exports); }
