/** Two Portal nodes in one process: they meet, and the second retrieves what the first stored. */
import { startNode } from 'spimpl/node'
import { makeChain } from 'spimpl/testing'

// A small valid chain, whose headers content is validated against. A real node asks an execution client:
// headers: 'http://127.0.0.1:8545'
const blocks = makeChain({ seed: 1, blocks: 2 })
const { number, body } = blocks[1]!

const first = await startNode({ headers: blocks, bootnodes: [] })
await first.history.put({ type: 'body', number }, body)

const second = await startNode({ headers: blocks, bootnodes: [first.enr] })
await second.history.ping(first.enr)

const found = await second.history.get({ type: 'body', number })
console.log(`${found?.content.length} bytes, ${found?.utpTransfer ? 'over uTP' : 'inside the answer'}`) // 368022 bytes, over uTP

await second.stop()
await first.stop()
