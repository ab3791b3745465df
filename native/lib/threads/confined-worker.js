// The thread of a confined module: pinned first, so that even what the module does while it is imported happens there.
import { parentPort, workerData } from 'node:worker_threads'
import { PinnedThread } from './pinned-thread.js'

const { module, traits, initial } = workerData

/**
 * Errors keep their message and code. A clone has lost the code, and one of a DOMException even the message; what cannot
 * be cloned at all would otherwise end the thread.
 */
function portable(error) {
  const code = ['string', 'number'].includes(typeof error?.code) ? error.code : undefined
  try {
    const copy = structuredClone(error)
    if (copy instanceof Error || !(error instanceof Error)) return { error: copy, code }
  } catch {}
  return { error: new Error(String(error?.message ?? error)), code }
}

async function main() {
  const refused = PinnedThread.pinHere(traits)
  const functions = await import(module)
  await functions.start?.(initial)
  // One call at a time, even where a function is asynchronous: that is what confines the library to an order as well.
  let before = Promise.resolve()
  parentPort.on('message', ({ id, name, parameters }) => {
    before = before.then(async () => {
      try {
        if (typeof functions[name] !== 'function')
          throw new TypeError(`the confined module exports no function ${name}`)
        parentPort.postMessage({ type: 'answer', id, value: await functions[name](...parameters) })
      } catch (error) {
        parentPort.postMessage({ type: 'refusal', id, ...portable(error) })
      }
    })
  })
  parentPort.postMessage({ type: 'ready', refused })
}

main().catch(error => parentPort.postMessage({ type: 'failed', ...portable(error) }))
