import { createMachine, transition } from 'xstate'

/**
 * The lifecycle of a session with one node at one endpoint (discv5-theory.md, Handshake Steps).
 *
 * Only what happens once in a session is an event here; packets are not. The machine has no context, so a state and an
 * event always lead to the same state, and each pair asks xstate once.
 */
export const sessionMachine = createMachine({
  id: 'discv5-session',
  initial: 'idle',
  states: {
    /** Nothing is under way, no keys. */
    idle: {
      on: {
        open: 'opening',
        challenge: 'challenging',
        respond: 'handshaking',
        accept: 'established',
      },
    },
    /** A packet with random content was sent, so that the peer challenges us. */
    opening: {
      on: {
        // Both sides opened at once: the peer's packet was challenged by us, ours will be by the peer.
        challenge: 'opening',
        respond: 'handshaking',
        accept: 'established',
        expire: 'failed',
      },
    },
    /** We sent WHOAREYOU to a peer that we had known, and wait for its handshake. */
    challenging: {
      on: {
        challenge: 'challenging',
        open: 'opening',
        respond: 'handshaking',
        accept: 'established',
        expire: 'failed',
      },
    },
    /** We sent a handshake; the keys count once the peer has used them. */
    handshaking: {
      on: {
        challenge: 'handshaking',
        respond: 'handshaking',
        confirm: 'established',
        accept: 'established',
        expire: 'failed',
      },
    },
    /** Both sides have keys. They stay in use while one side asks for new ones: a challenge may be forged. */
    established: {
      on: {
        challenge: 'established',
        respond: 'handshaking',
        accept: 'established',
        exhaust: 'idle',
      },
    },
    /** Nobody answered. The next message opens again. */
    failed: {
      on: {
        open: 'opening',
        challenge: 'challenging',
        // A late answer to what we had given up.
        respond: 'handshaking',
        accept: 'established',
      },
    },
  },
})

export type SessionState = 'idle' | 'opening' | 'challenging' | 'handshaking' | 'established' | 'failed'

export type SessionEvent =
  /** We want to send and have no keys. */
  | 'open'
  /** We sent WHOAREYOU. */
  | 'challenge'
  /** We answered WHOAREYOU with a handshake. */
  | 'respond'
  /** A packet under the keys of our handshake arrived. */
  | 'confirm'
  /** The peer's handshake was verified. */
  | 'accept'
  /** No answer after every attempt. */
  | 'expire'
  /** A key has sealed as many messages as it may. */
  | 'exhaust'

const known = new Map<string, SessionState>()

/** The state after an event; an event that a state does not expect changes nothing. */
export function nextSessionState(state: SessionState, event: SessionEvent): SessionState {
  const pair = `${state} ${event}`
  const cached = known.get(pair)
  if (cached !== undefined) return cached
  const [snapshot] = transition(sessionMachine, sessionMachine.resolveState({ value: state, context: {} }), {
    type: event,
  })
  const next = snapshot.value as SessionState
  known.set(pair, next)
  return next
}
