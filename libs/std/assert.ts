/** A broken invariant is a fault of ours: it is thrown as a plain Error, which nobody catches to continue. */
export function assert(condition: unknown, invariant: string): asserts condition {
  if (!condition) throw new Error(`Broken invariant: ${invariant}`)
}
