import { fromModule, type Ref, type StartLimits } from 'spimpl-runtime'
import type { StorageMessage } from '../../actors/storage.ts'
import type { ValidationMessage } from '../../actors/validation.ts'
import type { NodeOptions } from '../options/node-options.ts'
import { settingsOf } from '../options/node-settings.ts'
import type { NodePorts, PortsMessage } from '../ports/ports.ts'
import type { LaneStorageInput, LaneValidationInput } from './lane-behaviors.ts'
import { nodeRows } from './node-rows.ts'

const module = new URL('./lane-behaviors.js', import.meta.url)

/**
 * The row `storage` on a lane, a thread with that name: `nodeComposition(options).replace('storage',
 * storageOnLane('vault', options))`. The store is the node's own: the option `openStore` has no effect there.
 *
 * @throws SpimplError `CONFIG_INVALID`
 */
export function storageOnLane(lane: string, options: NodeOptions = {}) {
  const { storage: limits } = settingsOf(options)
  const { timeoutMs, ready } = nodeRows(options).storage
  return {
    needs: ['ports'] as const,
    behavior: fromModule<StorageMessage, LaneStorageInput>({ module, name: 'laneStorage' }),
    input: (_: unknown, { ports }: { readonly ports: NodePorts }): LaneStorageInput => ({
      ...limits,
      directory: ports.directory,
      name: ports.database,
      nodeId: ports.record.current.nodeId,
    }),
    lane,
    timeoutMs,
    ready: (ref: Ref<StorageMessage>, within: StartLimits) => ready(ref, within),
  }
}

/**
 * The row `validation` on a lane: `nodeComposition().replace('validation', validationOnLane('vault'))`. It validates on
 * that thread alone: the option `compute` has no effect there.
 */
export const validationOnLane = (lane: string) => ({
  needs: ['ports', 'storage'] as const,
  behavior: fromModule<ValidationMessage, LaneValidationInput>({ module, name: 'laneValidation' }),
  input: (refs: { readonly ports: Ref<PortsMessage>; readonly storage: Ref<StorageMessage> }): LaneValidationInput => ({
    ports: refs.ports,
    storage: refs.storage,
  }),
  lane,
})
