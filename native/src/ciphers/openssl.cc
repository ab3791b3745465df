#include "openssl.h"

#include <dlfcn.h>

#include <mutex>

namespace dispatch_addon {
namespace {

const char* firstMissing = "";
OpenSsl table;
bool complete = false;
std::once_flag once;

template <typename Function>
bool fill(Function& slot, const char* name) {
  slot = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
  if (slot == nullptr && *firstMissing == '\0') firstMissing = name;
  return slot != nullptr;
}

void load() {
  bool all = true;
  all &= fill(table.contextNew, "EVP_CIPHER_CTX_new");
  all &= fill(table.contextFree, "EVP_CIPHER_CTX_free");
  all &= fill(table.contextControl, "EVP_CIPHER_CTX_ctrl");
  all &= fill(table.aes128Gcm, "EVP_aes_128_gcm");
  all &= fill(table.aes128Ctr, "EVP_aes_128_ctr");
  all &= fill(table.encryptInit, "EVP_EncryptInit_ex");
  all &= fill(table.encryptUpdate, "EVP_EncryptUpdate");
  all &= fill(table.encryptFinal, "EVP_EncryptFinal_ex");
  all &= fill(table.decryptInit, "EVP_DecryptInit_ex");
  all &= fill(table.decryptUpdate, "EVP_DecryptUpdate");
  all &= fill(table.decryptFinal, "EVP_DecryptFinal_ex");
  all &= fill(table.versionText, "OpenSSL_version");
  complete = all;
}

}  // namespace

const OpenSsl* OpenSsl::find() {
  std::call_once(once, load);
  return complete ? &table : nullptr;
}

const char* OpenSsl::missing() {
  std::call_once(once, load);
  return firstMissing;
}

}  // namespace dispatch_addon
