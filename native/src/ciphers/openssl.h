// The part of OpenSSL that node itself exports, found at run time: the addon then needs no OpenSSL of its own, and
// uses the very build (version, CPU detection, provider configuration) that node:crypto uses.
#pragma once

#include <cstddef>

namespace dispatch_addon {

struct OpenSsl {
  // OpenSSL's types stay opaque, because not every installation of Node's headers includes those of OpenSSL.
  struct Cipher;
  struct Context;

  Context* (*contextNew)();
  void (*contextFree)(Context*);
  int (*contextControl)(Context*, int command, int argument, void* pointer);
  const Cipher* (*aes128Gcm)();
  const Cipher* (*aes128Ctr)();
  int (*encryptInit)(Context*, const Cipher*, void* engine, const unsigned char* key, const unsigned char* iv);
  int (*encryptUpdate)(Context*, unsigned char* out, int* outLength, const unsigned char* in, int length);
  int (*encryptFinal)(Context*, unsigned char* out, int* outLength);
  int (*decryptInit)(Context*, const Cipher*, void* engine, const unsigned char* key, const unsigned char* iv);
  int (*decryptUpdate)(Context*, unsigned char* out, int* outLength, const unsigned char* in, int length);
  int (*decryptFinal)(Context*, unsigned char* out, int* outLength);
  const char* (*versionText)(int which);

  // nullptr where this node exports no OpenSSL (built without it, or with hidden symbols).
  static const OpenSsl* find();

  // The first symbol that was missing, for backendInfo(); empty where find() succeeded.
  static const char* missing();
};

// Stable numbers of OpenSSL's public evp.h and crypto.h.
constexpr int kControlGetTag = 0x10;
constexpr int kControlSetTag = 0x11;

}  // namespace dispatch_addon
