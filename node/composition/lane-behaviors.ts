import type { Behavior, Ref } from 'spimpl-runtime'
import { type StorageMessage, storage } from '../../actors/storage.ts'
import { validation } from '../../actors/validation.ts'
import { refused } from '../../src/errors.ts'
import type { HeaderSource } from '../../src/history/headers/header-source.ts'
import { validateInWorker } from '../../src/history/validation/validation-task.ts'
import { type ContentStoreOptions, openContentStore } from '../../src/store/store.ts'
import type { PortsMessage } from '../ports/ports.ts'

/** What a thread of storage is told: whose content it keeps, where, and how much. */
export interface LaneStorageInput extends ContentStoreOptions {
  /** Undefined: in memory. */
  readonly directory: string | undefined
  readonly name: string
}

/** What a thread of validation is told. */
export interface LaneValidationInput {
  readonly ports: Ref<PortsMessage>
  readonly storage: Ref<StorageMessage>
}

/** A header may be asked for three times over HTTP, 5 s each (header-rpc.ts). */
const HEADER_TIMEOUT_MS = 20_000

/** The content store, opened on the thread that this runs on. */
export const laneStorage = (input: LaneStorageInput): Behavior<StorageMessage> =>
  storage({ open: () => openContentStore(input) }) as unknown as Behavior<StorageMessage>

/** Validation on the thread that this runs on, without further threads. Headers come from the main one. */
export const laneValidation = ({ ports, storage }: LaneValidationInput) =>
  validation({ headers: headersOf(ports), storage, compute: validateInWorker })

function headersOf(ports: Ref<PortsMessage>): HeaderSource {
  return {
    headerByNumber: (number, _signal, doubted) =>
      ports
        .ask(replyTo => ({ type: 'header', number, doubted, replyTo }), { timeoutMs: HEADER_TIMEOUT_MS })
        .catch((error: Error) => refused('HEADER_UNAVAILABLE', error.message)),
    close: async () => {},
  }
}
