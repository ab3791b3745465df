/**
 * The door for actors that are xstate machines. No other door names a type of xstate: a machine as a table of
 * transitions is behind the door `core`.
 */
export { fromMachine, type MachineOptions } from './actors/machine-behavior.ts'
export { supervisedChild } from './supervising/supervised-child.ts'
