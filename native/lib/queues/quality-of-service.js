import { AddonError } from '../glue/addon-error.js'

/** The numbers of sys/qos.h, the most urgent class first. */
const qualities = {
  'user-interactive': 0x21,
  'user-initiated': 0x19,
  default: 0x15,
  utility: 0x11,
  background: 0x09,
}

const names = Object.keys(qualities)

export function qosNumber(name) {
  const number = qualities[name]
  if (number !== undefined) return number
  throw new AddonError('QOS_UNKNOWN', `expected one of ${names.join(', ')}, got ${String(name)}`)
}

/** The index of a class: 0 is the most urgent. */
export function bandOf(name) {
  return names.indexOf(name)
}
