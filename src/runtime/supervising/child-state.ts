/** Where a supervised child stands in its life: the states of the machine in supervised-child.ts. */
export type ChildState = 'starting' | 'running' | 'failed' | 'restarting' | 'waiting' | 'stopping' | 'stopped'

/** What moves it. */
export type ChildEvent = 'run' | 'fail' | 'restart' | 'end' | 'start' | 'stop'
