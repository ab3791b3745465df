#include "value.h"

#include <cstring>

namespace dispatch_addon {
namespace {

bool expected(napi_env env, napi_status status, const char* what) {
  if (status == napi_ok) return true;
  failType(env, std::string("expected ") + what);
  return false;
}

template <typename T>
bool readView(napi_env env, napi_value value, napi_typedarray_type wanted, const char* what, View<T>& out) {
  napi_typedarray_type type;
  void* data = nullptr;
  const napi_status status = napi_get_typedarray_info(env, value, &type, &out.length, &data, nullptr, nullptr);
  out.data = static_cast<T*>(data);
  return expected(env, status == napi_ok && type != wanted ? napi_invalid_arg : status, what);
}

bool isA(napi_env env, napi_value value, napi_valuetype wanted) {
  napi_valuetype type;
  return napi_typeof(env, value, &type) == napi_ok && type == wanted;
}

}  // namespace

napi_value fail(napi_env env, const char* code, const std::string& message) {
  napi_throw_error(env, code, message.c_str());
  return nullptr;
}

napi_value failType(napi_env env, const std::string& message) {
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", message.c_str());
  return nullptr;
}

bool fromValue(napi_env env, napi_value value, bool& out) {
  return expected(env, napi_get_value_bool(env, value, &out), "a boolean");
}

bool fromValue(napi_env env, napi_value value, uint32_t& out) {
  return expected(env, napi_get_value_uint32(env, value, &out), "an unsigned integer");
}

bool fromValue(napi_env env, napi_value value, int32_t& out) {
  return expected(env, napi_get_value_int32(env, value, &out), "an integer");
}

bool fromValue(napi_env env, napi_value value, double& out) {
  return expected(env, napi_get_value_double(env, value, &out), "a number");
}

bool fromValue(napi_env env, napi_value value, std::string& out) {
  size_t length = 0;
  if (!expected(env, napi_get_value_string_utf8(env, value, nullptr, 0, &length), "a string")) return false;
  out.resize(length + 1);
  napi_get_value_string_utf8(env, value, &out[0], length + 1, &length);
  out.resize(length);
  return true;
}

bool fromValue(napi_env env, napi_value value, Bytes& out) {
  return readView(env, value, napi_uint8_array, "a Uint8Array", out);
}

bool fromValue(napi_env env, napi_value value, Words& out) {
  return readView(env, value, napi_uint32_array, "a Uint32Array", out);
}

bool isUndefined(napi_env env, napi_value value) { return isA(env, value, napi_undefined); }

bool isFunction(napi_env env, napi_value value) { return isA(env, value, napi_function); }

bool elementOf(napi_env env, napi_value array, uint32_t at, Bytes& out) {
  napi_value element = nullptr;
  return expected(env, napi_get_element(env, array, at, &element), "an array") && fromValue(env, element, out);
}

napi_value toValue(napi_env env, bool flag) {
  napi_value value = nullptr;
  napi_get_boolean(env, flag, &value);
  return value;
}

napi_value toValue(napi_env env, uint32_t number) {
  napi_value value = nullptr;
  napi_create_uint32(env, number, &value);
  return value;
}

napi_value toValue(napi_env env, int32_t number) {
  napi_value value = nullptr;
  napi_create_int32(env, number, &value);
  return value;
}

napi_value toValue(napi_env env, double number) {
  napi_value value = nullptr;
  napi_create_double(env, number, &value);
  return value;
}

napi_value toValue(napi_env env, const std::string& text) {
  napi_value value = nullptr;
  napi_create_string_utf8(env, text.data(), text.size(), &value);
  return value;
}

napi_value toValue(napi_env env, const char* text) { return toValue(env, std::string(text)); }

napi_value toValue(napi_env env, const std::vector<uint8_t>& bytes) {
  void* data = nullptr;
  napi_value buffer = nullptr;
  napi_value array = nullptr;
  if (napi_create_arraybuffer(env, bytes.size(), &data, &buffer) != napi_ok) return nullptr;
  if (!bytes.empty()) memcpy(data, bytes.data(), bytes.size());
  napi_create_typedarray(env, napi_uint8_array, bytes.size(), buffer, 0, &array);
  return array;
}

napi_value makeUndefined(napi_env env) {
  napi_value value = nullptr;
  napi_get_undefined(env, &value);
  return value;
}

}  // namespace dispatch_addon
