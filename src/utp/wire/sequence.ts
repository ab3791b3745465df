/**
 * Sequence numbers. On the wire they have 16 bits and wrap after 65,536 packets (about 75 MB). Inside they are wide:
 * integers that only grow, so that only these two functions know about the wrap.
 */

/** The integer nearest to `near` whose low 16 bits are `wire`. */
export function widen(wire: number, near: number): number {
  return near + (((wire - near) << 16) >> 16)
}

/** The low 16 bits of `sequence`, as on the wire. */
export function narrow(sequence: number): number {
  return sequence & 0xffff
}
