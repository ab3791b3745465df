import { nodeCryptography } from '../../../src/crypto/node-cryptography.ts'
import { type NodeRecord, parseRecord } from '../../../src/identity/node-record.ts'
import { PublishableRecord } from '../../../src/identity/publishable-record.ts'
import type { ContentTrace } from '../../../src/portal/portal.ts'
import type { ParseRecord } from '../../../src/rpc/methods/parameters.ts'
import type { ContentKey, NodeApi, NodeId } from '../../../src/rpc/node-api.ts'

/** The own record (key 1) and two peers, made once. */
const recordOf = (n: number): NodeRecord =>
  new PublishableRecord({
    privateKey: new Uint8Array(32).fill(n),
    crypto: nodeCryptography,
    entries: { ip: Uint8Array.of(127, 0, 0, n), udp: 9000 + n },
  }).current

export const self = recordOf(1)
export const peer = recordOf(2)
export const other = recordOf(3)
export const parse: ParseRecord = text => parseRecord(text, nodeCryptography)

export const unknownId = `0x${'ee'.repeat(32)}`
export const knownKey = '0x000100000000000000'
export const absentKey = '0x00ff00000000000000'
export const content = Uint8Array.of(0xc2, 0xc0, 0xc0)

export const trace: ContentTrace = {
  origin: self.nodeIdHex,
  targetId: `0x${'07'.repeat(32)}`,
  receivedFrom: peer.nodeIdHex,
  responses: {
    [other.nodeIdHex]: { durationMs: 3.4, respondedWith: [peer.nodeIdHex] },
    [peer.nodeIdHex]: { durationMs: 7, respondedWith: [] },
  },
  metadata: { [peer.nodeIdHex]: { enr: peer.text, distance: `0x${'ff'.padStart(64, '0')}` } },
  cancelled: [],
  startedAtMs: 1_700_000_000_000,
}

export interface ScriptedCall {
  readonly name: string
  readonly given: readonly unknown[]
  readonly signal: AbortSignal
}

/** The port's test implementation: answers from constants, remembers what it was asked. */
export interface ScriptedApi extends NodeApi {
  readonly calls: ScriptedCall[]
}

type Overrides = {
  readonly discovery?: Partial<NodeApi['discovery']>
  readonly history?: Partial<NodeApi['history']>
  readonly health?: NodeApi['health']
}

export function scriptedApi(overrides: Overrides = {}): ScriptedApi {
  const calls: ScriptedCall[] = []
  const hex = (bytes: Uint8Array) => `0x${Buffer.from(bytes).toString('hex')}`
  const isKnown = (id: NodeId) => hex(id as Uint8Array) === peer.nodeIdHex
  const isKnownKey = (key: ContentKey) => hex(key as Uint8Array) === knownKey
  const routing: NodeApi['discovery'] & NodeApi['history'] = {
    table: async () => ({ localNodeId: self.nodeIdHex, buckets: [[], [peer.nodeIdHex, other.nodeIdHex], []] }),
    addRecord: async () => true,
    findRecord: async id => (isKnown(id) ? peer : undefined),
    removeRecord: async id => isKnown(id),
    lookupRecord: async id => (isKnown(id) ? peer : undefined),
    findNodes: async () => [peer, other],
    lookup: async () => [other, peer],
    localRecord: async () => self,
    updateRecord: async () => self,
    talk: async (_, protocol, payload) => Uint8Array.of(...protocol, ...payload),
    findContent: async (_, key) =>
      isKnownKey(key) ? { type: 'found', content, utpTransfer: true } : { type: 'nodes', records: [other] },
    offer: async (_, items) => new Uint8Array(items.length).fill(2),
    get: async key => (isKnownKey(key) ? { content, utpTransfer: true } : undefined),
    retrieve: async () => ({ content, utpTransfer: true, from: peer, queries: 1 }),
    trace: async key => ({ content: isKnownKey(key) ? content : undefined, utpTransfer: false, trace }),
    store: async () => true,
    local: async key => (isKnownKey(key) ? content : undefined),
    put: async () => ({
      storedLocally: true,
      peerCount: 6,
      acceptMetadata: {
        acceptedCount: 1,
        genericDeclineCount: 2,
        alreadyStoredCount: 3,
        notWithinRadiusCount: 4,
        rateLimitedCount: 5,
        transferInProgressCount: 6,
      },
    }),
    ping: (async () => undefined) as never,
  }
  const discoveryPing: NodeApi['discovery']['ping'] = async () => ({
    enrSeq: 2n ** 64n - 1n,
    recipientIp: '127.0.0.1',
    recipientPort: 9001,
  })
  const historyPing: NodeApi['history']['ping'] = async (_, { payloadType = 0, payload } = {}) => ({
    enrSeq: 5n,
    payload:
      payload ??
      (payloadType === 0
        ? { payloadType, clientInfo: 'spimpl/0/linux/node', radius: 2n ** 256n - 1n, capabilities: [0, 1, 65535] }
        : { payloadType, radius: 0n }),
  })
  return {
    clientVersion: 'spimpl/0.1.0/linux-x64/node20',
    calls,
    discovery: recorded('discovery', { ...routing, ping: discoveryPing, ...overrides.discovery }, calls),
    history: recorded('history', { ...routing, ping: historyPing, ...overrides.history }, calls),
    health: overrides.health ?? (async () => ({ ready: true, nodeId: self.nodeIdHex })),
  }
}

function recorded<T extends object>(family: string, api: T, calls: ScriptedCall[]): T {
  return new Proxy(api, {
    get(target, name) {
      const member = Reflect.get(target, name) as unknown
      if (typeof member !== 'function') return member
      return (...given: unknown[]) => {
        const { signal, ...options } = given.at(-1) as { signal: AbortSignal }
        const others = Object.keys(options).length === 0 ? [] : [options]
        calls.push({ name: `${family}.${String(name)}`, given: [...given.slice(0, -1), ...others], signal })
        return member.apply(target, given) as unknown
      }
    },
  })
}
