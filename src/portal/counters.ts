import { type CounterNames, Counters } from 'spimpl-runtime/core'
import type { ErrorCode } from '../errors.ts'
import { MALFORMED_REASONS } from './wire/ssz.ts'

const REQUESTS = ['ping', 'find-nodes', 'find-content', 'offer'] as const

/** Error codes of transfers and retrievals that have a counter of their own. */
const FAILURE_CODES = [
  'STREAM_CONNECT_TIMEOUT',
  'STREAM_RESET',
  'STREAM_TIMEOUT',
  'STREAM_IDLE',
  'STREAM_CLOSED',
  'STREAM_LIMIT',
  'STREAM_ID_TAKEN',
  'CONTENT_NOT_FOUND',
  'HEADER_UNAVAILABLE',
  'VALIDATION_LIMIT',
  'ASK_TIMEOUT',
  'ACTOR_FAILED',
] as const

/** How a transfer or retrieval failed: by error code, by bad content, or in a rarer way. */
export type FailureName = (typeof FAILURE_CODES)[number] | 'content-invalid' | 'other'

const FAILURES: readonly FailureName[] = [...FAILURE_CODES, 'content-invalid', 'other']

/** The name under which a failure is counted. */
export function failureName(code: ErrorCode, blamesContent: boolean): FailureName {
  if (blamesContent) return 'content-invalid'
  const codes: readonly ErrorCode[] = FAILURE_CODES
  return codes.includes(code) ? (code as FailureName) : 'other'
}

/** One counter for each case of a closed list, named `prefix.case`; `%` in the meaning stands for the case. */
function family<Prefix extends string, Case extends string>(
  prefix: Prefix,
  cases: readonly Case[],
  meaning: string,
): CounterNames<`${Prefix}.${Case}`> {
  const names = cases.map(each => [`${prefix}.${each}`, meaning.replace('%', each)])
  return Object.fromEntries(names) as CounterNames<`${Prefix}.${Case}`>
}

const NAMES = {
  ...family('sent', REQUESTS, 'requests of type % that were sent, repeats not counted'),
  ...family('repeated', REQUESTS, 'requests of type % that were sent a second time for lack of an answer'),
  ...family('answered', REQUESTS, 'requests of type % that were answered with the right message'),
  ...family('unanswered', REQUESTS, 'requests of type % that failed or were never answered'),
  ...family('requested', REQUESTS, 'requests of type % from peers'),
  ...family('refused', ['PORTAL_VERSION_MISMATCH', 'PORTAL_CHAIN_MISMATCH'], 'requests from peers refused with %'),

  ...family('malformed.request', [...MALFORMED_REASONS, 'type', 'content-key'], 'malformed requests from peers: %'),
  ...family('malformed.answer', [...MALFORMED_REASONS, 'type'], 'malformed answers of peers: %'),
  ...family('malformed.ping', [...MALFORMED_REASONS, 'type'], 'malformed payloads of pings from peers: %'),
  ...family('malformed.pong', [...MALFORMED_REASONS, 'type'], 'malformed payloads of pongs: %'),
  ...family(
    'malformed.relayed',
    ['record', 'no-endpoint', 'address', 'distance', 'duplicate'],
    'records in answers of peers that were left out: %',
  ),
  'malformed.accept.count': 'ACCEPT messages with another number of codes than the offer had items',
  'pong.error': 'pongs that carried an error payload',

  ...family('accept.sent', ['0', '1', '2', '3', '4', '5', '6'], 'offered items that we answered with code %'),
  ...family(
    'accept.received',
    ['0', '1', '2', '3', '4', '5', '6', '7'],
    'our items answered with code % (7: or above)',
  ),
  'accept.repeated': 'offers that were made again and got the answer of the first',
  'received.items': 'offered items that arrived whole and valid',
  'served.inline': 'FIND_CONTENT answered with the content itself',
  'served.utp': 'FIND_CONTENT served over uTP to the end',
  ...family('serve.failed', FAILURES, 'serving over uTP failed: %'),
  ...family('send.failed', FAILURES, 'sending accepted items failed: %'),
  ...family('receive.failed', FAILURES, 'receiving accepted items failed: %'),
  ...family('retrieval.failed', FAILURES, 'retrieving found content failed: %'),

  'lookup.reminded': 'content lookups that asked members again that had not answered',
  'lookup.own-transfer': 'content lookups that waited for their own lost connection to expire at a peer',
  'lookup.given-up': 'transfers of content lookups that were cancelled for another source',
  'lookup.impatient': 'transfers of content lookups beside which further nodes were asked',
  poke: 'found items that were offered to nodes that should have had them',

  joined: 'lookups of the own neighbourhood after the first live member',
  estranged: 'nodes that answered and do not speak this protocol with us',
  distrusted: 'nodes that sent content that is not what its key names',
  'table.removed': 'members that left the routing table',

  'limit.requests': 'requests that were not sent: `requests` are in flight',
  'limit.questions': 'requests from peers not looked up: `questions` are pending',
  'limit.reads': 'requests from peers not looked up: `reads` or `readsOfPeer` are pending',
  'limit.serves': 'content not served over uTP: `serves`, `servesOfPeer` or `serveBytes` are in use',
  'limit.fetches': 'content lookups that waited for a transfer slot',
  'limit.lookups': 'lookups that were refused: `lookups` or `waitingLookups` exist',
  'limit.calls': 'calls that were refused: `calls` are pending',
  'limit.offers': 'offers of callers that were refused: `offers` are in flight',
  'limit.outbox': 'items not queued for a peer: `outboxItems` wait for it',
  'limit.gossip': 'items not gossiped: `gossipItems` or `gossipBytes` are in use',
  'limit.candidates': 'nodes met that were not pinged: `candidates` wait',
  'limit.addresses': 'nodes left out of the routing table because of others in their subnet',
  'questions.overdue': 'questions that the store or validation did not answer in time',
} as const

/** The name of a counter of an overlay. */
export type OverlayCounterName = keyof typeof NAMES

export type OverlayCounters = Counters<OverlayCounterName>

/** The counters of one overlay, all zero. */
export const overlayCounters = (): OverlayCounters => new Counters<OverlayCounterName>(NAMES)
