import { stateTable } from 'spimpl-runtime/core'
import { createMachine } from 'xstate'

/**
 * The lifecycle of a session with one node at one endpoint (discv5-theory.md, Handshake Steps). Only what happens once
 * in a session is an event here; packets are not.
 *
 * @internal Its type is xstate's, which a door must not name: see `TransitionMachine`.
 */
export const sessionMachine = createMachine({
  id: 'discv5-session',
  initial: 'idle',
  states: {
    /** No keys, and no handshake under way. */
    idle: {
      on: {
        open: 'opening',
        challenge: 'challenging',
        respond: 'handshaking',
        accept: 'established',
      },
    },
    /** We sent a packet with random content, so that the peer challenges us. */
    opening: {
      on: {
        // Both sides opened at once: we challenged the peer's packet, and the peer will challenge ours.
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
    /** We sent a handshake; its keys count once the peer has used them. */
    handshaking: {
      on: {
        challenge: 'handshaking',
        respond: 'handshaking',
        confirm: 'established',
        accept: 'established',
        expire: 'failed',
      },
    },
    /** Both sides have keys. They stay in use while one side asks for new ones, because a challenge may be forged. */
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
        // A late challenge of a packet that we had given up.
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
  /** The peer's handshake was verified, or the peer used keys that we had given up. */
  | 'accept'
  /** No attempt was answered. */
  | 'expire'
  /** A key has sealed as many messages as it may, or the peer seems to have lost it. */
  | 'exhaust'

export const SESSION_EVENTS: readonly SessionEvent[] = [
  'open',
  'challenge',
  'respond',
  'confirm',
  'accept',
  'expire',
  'exhaust',
]

/** The transitions; an event that a state does not list changes nothing. */
export const sessionTable = stateTable<SessionState, SessionEvent>(sessionMachine, SESSION_EVENTS)
