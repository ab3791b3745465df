// Reading and making JavaScript values through Node-API, with one convention: a function that fails has left a
// JavaScript exception pending and says so by `false` or a null value, so callers return at once.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace dispatch_addon {

struct Bytes {
  uint8_t* data = nullptr;
  size_t length = 0;
};

// The arguments of one call. Missing ones are `undefined`.
template <size_t Count>
class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info) : env_(env) {
    size_t count = Count;
    napi_get_cb_info(env, info, &count, values_, &self_, &data_);
  }
  napi_env env() const { return env_; }
  napi_value self() const { return self_; }
  void* data() const { return data_; }
  napi_value operator[](size_t at) const { return values_[at]; }

 private:
  napi_env env_;
  napi_value values_[Count == 0 ? 1 : Count] = {};
  napi_value self_ = nullptr;
  void* data_ = nullptr;
};

// Throws an Error whose `code` is `code`; the JavaScript side of the package turns codes into documented errors.
napi_value fail(napi_env env, const char* code, const std::string& message);
napi_value failType(napi_env env, const std::string& message);

bool readBytes(napi_env env, napi_value value, Bytes& out);
bool readUint32(napi_env env, napi_value value, uint32_t& out);
bool readInt32(napi_env env, napi_value value, int32_t& out);
bool readDouble(napi_env env, napi_value value, double& out);
bool readBool(napi_env env, napi_value value, bool& out);
bool readString(napi_env env, napi_value value, std::string& out);
bool isUndefined(napi_env env, napi_value value);
bool isFunction(napi_env env, napi_value value);

napi_value makeString(napi_env env, const std::string& text);
napi_value makeUint32(napi_env env, uint32_t number);
napi_value makeDouble(napi_env env, double number);
napi_value makeBool(napi_env env, bool flag);
napi_value makeUndefined(napi_env env);

void setProperty(napi_env env, napi_value object, const char* name, napi_value value);
void setFunction(napi_env env, napi_value object, const char* name, napi_callback callback, void* data = nullptr);

}  // namespace dispatch_addon
