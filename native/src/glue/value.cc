#include "value.h"

namespace dispatch_addon {

napi_value fail(napi_env env, const char* code, const std::string& message) {
  napi_throw_error(env, code, message.c_str());
  return nullptr;
}

napi_value failType(napi_env env, const std::string& message) {
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", message.c_str());
  return nullptr;
}

bool readBytes(napi_env env, napi_value value, Bytes& out) {
  napi_typedarray_type type;
  void* data = nullptr;
  size_t length = 0;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_uint8_array) {
    failType(env, "expected a Uint8Array");
    return false;
  }
  out.data = static_cast<uint8_t*>(data);
  out.length = length;
  return true;
}

bool readUint32(napi_env env, napi_value value, uint32_t& out) {
  if (napi_get_value_uint32(env, value, &out) == napi_ok) return true;
  failType(env, "expected an unsigned integer");
  return false;
}

bool readInt32(napi_env env, napi_value value, int32_t& out) {
  if (napi_get_value_int32(env, value, &out) == napi_ok) return true;
  failType(env, "expected an integer");
  return false;
}

bool readDouble(napi_env env, napi_value value, double& out) {
  if (napi_get_value_double(env, value, &out) == napi_ok) return true;
  failType(env, "expected a number");
  return false;
}

bool readBool(napi_env env, napi_value value, bool& out) {
  if (napi_get_value_bool(env, value, &out) == napi_ok) return true;
  failType(env, "expected a boolean");
  return false;
}

bool readString(napi_env env, napi_value value, std::string& out) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) {
    failType(env, "expected a string");
    return false;
  }
  out.resize(length + 1);
  napi_get_value_string_utf8(env, value, &out[0], length + 1, &length);
  out.resize(length);
  return true;
}

bool isUndefined(napi_env env, napi_value value) {
  napi_valuetype type;
  return value == nullptr || (napi_typeof(env, value, &type) == napi_ok && type == napi_undefined);
}

bool isFunction(napi_env env, napi_value value) {
  napi_valuetype type;
  return value != nullptr && napi_typeof(env, value, &type) == napi_ok && type == napi_function;
}

napi_value makeString(napi_env env, const std::string& text) {
  napi_value value = nullptr;
  napi_create_string_utf8(env, text.data(), text.size(), &value);
  return value;
}

napi_value makeUint32(napi_env env, uint32_t number) {
  napi_value value = nullptr;
  napi_create_uint32(env, number, &value);
  return value;
}

napi_value makeDouble(napi_env env, double number) {
  napi_value value = nullptr;
  napi_create_double(env, number, &value);
  return value;
}

napi_value makeBool(napi_env env, bool flag) {
  napi_value value = nullptr;
  napi_get_boolean(env, flag, &value);
  return value;
}

napi_value makeUndefined(napi_env env) {
  napi_value value = nullptr;
  napi_get_undefined(env, &value);
  return value;
}

void setProperty(napi_env env, napi_value object, const char* name, napi_value value) {
  napi_set_named_property(env, object, name, value);
}

void setFunction(napi_env env, napi_value object, const char* name, napi_callback callback, void* data) {
  napi_value function = nullptr;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, data, &function) == napi_ok) {
    napi_set_named_property(env, object, name, function);
  }
}

}  // namespace dispatch_addon
