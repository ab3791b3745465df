#include "lane.h"

#include "openssl.h"
#include "value.h"

namespace dispatch_addon {

Lane::Lane(napi_env env) : env_(env), cipherCalls_(OpenSsl::find()) {}

napi_value Lane::install(napi_env env, napi_value exports) {
  auto* lane = new Lane(env);
  if (napi_set_instance_data(env, lane, finalize, nullptr) != napi_ok) {
    delete lane;
    return fail(env, "ERR_ADDON", "napi_set_instance_data refused");
  }
  lane->cipherCalls_.install(env, exports);
  return exports;
}

void Lane::finalize(napi_env env, void* data, void*) {
  auto* lane = static_cast<Lane*>(data);
  lane->cipherCalls_.release(env);
  delete lane;
}

}  // namespace dispatch_addon
