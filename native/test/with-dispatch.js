// Tests of what needs the addon, or libdispatch behind it. Where either is missing they are skipped and say so; with
// CI=true that is a failure, because there everything is to be tested.
import test from 'ava'
import { backendInfo } from '../index.js'

const info = backendInfo()
const obligatory = process.env.CI === 'true'

function choose(available, reason) {
  if (available || obligatory) return test
  console.error(`skipped: ${reason}`)
  return test.skip
}

export const withAddon = choose(info.addon.loaded, info.addon.reasons.join('; '))
export const withDispatch = choose(info.libdispatch.found, info.libdispatch.refused.join('; '))

/** What is skipped for another reason, which the caller says. */
export const skipped = test.skip

/** The same, one test after the other. */
export const serially = chosen => chosen.serial ?? chosen
