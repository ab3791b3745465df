/**
 * Sequence numbers. On the wire they have 16 bits and wrap after 65,536 packets (about 75 MB); inside they are integers that
 * only grow, so that nothing but these two functions knows of the wrap.
 */

/** The integer nearest to `near` whose low 16 bits are `wire`. */
export function widen(wire: number, near: number): number {
  return near + (((wire - near) << 16) >> 16)
}

/** The low 16 bits of `sequence`, as they travel. */
export function narrow(sequence: number): number {
  return sequence & 0xffff
}
