import { nodeCryptography as crypto, defaultSecp256k1 } from '../src/crypto/node-cryptography.ts'
import { unwrap } from '../src/errors.ts'
import { decodeRecord } from '../src/identity/node-record.ts'
import { endpointEntries, PublishableRecord, portalEntry } from '../src/identity/publishable-record.ts'
import { RecordDecoder } from '../src/identity/record-decoder.ts'
import { type Contender, sideBySide } from './measurement.ts'
import { absent, loadPeer, peerVersion } from './peers.ts'
import { type BenchOptions, type BenchReport, type BenchRow, ratioOf } from './report.ts'

/** The part of @chainsafe/enr that is measured. */
interface ChainsafeEnr {
  readonly ENR: {
    readonly decode: (bytes: Uint8Array) => { readonly nodeId: string; readonly udp: number | undefined }
  }
  readonly SignableENR: {
    readonly createV4: (
      privateKey: Uint8Array,
      kvs: Record<string, Uint8Array>,
    ) => { readonly encode: () => Uint8Array }
  }
}

const PEER = '@chainsafe/enr'

/** As many records as a lookup finds. */
const RECORDS = 64

/**
 * Node records: from bytes to a verified record whose id and endpoint are read, and from a key to signed bytes. All
 * records differ, so the memory of `RecordDecoder` counts in its own row only.
 */
export async function run(options: BenchOptions): Promise<BenchReport> {
  const runs = options.runs ?? (options.quick ? 2 : 7)
  const peer = await loadPeer<ChainsafeEnr>(PEER)
  const keys = Array.from({ length: RECORDS }, (_, index) => crypto.sha256(Uint8Array.of(1, index)))
  const records = keys.map(
    (privateKey, index) =>
      new PublishableRecord({
        privateKey,
        crypto,
        entries: {
          ...endpointEntries({ host: `192.0.2.${index}`, port: 9009 }),
          p: portalEntry({ min: 2, max: 2, chainId: 1n }),
        },
      }).current,
  )
  // The peer reads strings only, so it is given records without `p`.
  const plain = keys.map(
    (privateKey, index) =>
      new PublishableRecord({
        privateKey,
        crypto,
        entries: endpointEntries({ host: `192.0.2.${index}`, port: 9009 }),
      }).current.bytes,
  )
  const slow = options.quick ? RECORDS : 4 * RECORDS
  const fast = options.quick ? 10 * RECORDS : 40 * RECORDS
  let read = 0

  const decode: Contender[] = [
    {
      peer: 'spimpl',
      operations: fast,
      run(operations) {
        for (let index = 0; index < operations; index++) {
          const record = unwrap(decodeRecord(plain[index % RECORDS]!, crypto))
          read += record.nodeIdHex.length + (record.endpoint?.port ?? 0)
        }
      },
    },
  ]
  if (peer !== undefined) {
    decode.push({
      peer: PEER,
      operations: slow,
      run(operations) {
        for (let index = 0; index < operations; index++) {
          const record = peer.ENR.decode(plain[index % RECORDS]!)
          read += record.nodeId.length + (record.udp ?? 0)
        }
      },
    })
  }
  const decoder = new RecordDecoder({ crypto })
  const remembered: Contender = {
    peer: 'spimpl',
    operations: 50 * fast,
    run(operations) {
      for (let index = 0; index < operations; index++) {
        const record = unwrap(decoder.decode(records[index % RECORDS]!.bytes))
        read += record.nodeIdHex.length + (record.endpoint?.port ?? 0)
      }
    },
  }
  const sign: Contender[] = [
    {
      peer: 'spimpl',
      operations: fast,
      run(operations) {
        for (let index = 0; index < operations; index++) {
          const entries = endpointEntries({ host: '192.0.2.1', port: 9009 })
          read += new PublishableRecord({ privateKey: keys[index % RECORDS]!, crypto, entries }).current.bytes.length
        }
      },
    },
  ]
  if (peer !== undefined) {
    const kvs = { ip: Uint8Array.of(192, 0, 2, 1), udp: Uint8Array.of(0x23, 0x31) }
    sign.push({
      peer: PEER,
      operations: slow,
      run(operations) {
        for (let index = 0; index < operations; index++) {
          read += peer.SignableENR.createV4(keys[index % RECORDS]!, kvs).encode().length
        }
      },
    })
  }

  const rows: BenchRow[] = [
    ...(await sideBySide('decode and verify', decode, runs)),
    ...(await sideBySide('decode, remembered', [remembered], runs)),
    ...(await sideBySide('make and sign', sign, runs)),
  ]
  if (read === 0) throw new Error('nothing was read')
  const ratios: Record<string, number> = {}
  for (const [name, subject] of [
    ['decodeVsChainsafe', 'decode and verify'],
    ['signVsChainsafe', 'make and sign'],
  ] as const) {
    const ratio = ratioOf(rows, subject, PEER, 'spimpl')
    if (ratio !== undefined) ratios[name] = ratio
  }
  return {
    rows,
    ratios,
    notes: [
      peer === undefined ? absent(PEER) : `${PEER} ${peerVersion(PEER)}`,
      `the curve of spimpl here: ${defaultSecp256k1.name}; "make and sign" verifies the new record too, the peer does not`,
    ],
  }
}
