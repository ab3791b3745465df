/** The outer shapes of what goes to the curve: a library that is handed another one throws, and the network must not make it. */

export const isCompressedPoint = (bytes: Uint8Array): boolean =>
  bytes.length === 33 && (bytes[0] === 0x02 || bytes[0] === 0x03)

export const isSignature = (bytes: Uint8Array): boolean => bytes.length === 64

export const isDigest = (bytes: Uint8Array): boolean => bytes.length === 32
