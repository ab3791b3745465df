/**
 * The door for lifecycles that are xstate machines: an actor from a machine, and a machine as a table of transitions for a core.
 * The main door needs no xstate types, so they are here.
 */
export { fromMachine, type MachineOptions } from './actors/machine-behavior.ts'
export { Lifecycle, type StateTable, stateTable } from './cores/state-table.ts'
export { supervisedChild } from './supervising/supervised-child.ts'
