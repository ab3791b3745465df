// The thread of a confined module. It is pinned first, so that the import of the module already runs pinned.
import { parentPort, workerData } from 'node:worker_threads'
import { PinnedThread } from './pinned-thread.js'

const { module, traits, initial } = workerData

/**
 * Keeps message and code of an error. A structured clone loses the code, and that of a DOMException even the message;
 * an error that cannot be cloned would end the thread.
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
  // One call at a time, also if a function is asynchronous, so that the calls of the library keep their order.
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
