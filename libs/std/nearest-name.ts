/** Finds what somebody who mistyped a name may have meant. */

/** Names longer than this are not compared: the work grows with the product of the lengths. */
const CHARS_MAX = 64

/** The name with the fewest typing errors, upper and lower case, hyphens and underscores apart; undefined when none is near. */
export function nearestName(name: string, names: readonly string[]): string | undefined {
  if (name.length > CHARS_MAX) return undefined
  const wanted = folded(name)
  let nearest: string | undefined
  // A third of the letters may be wrong, so that `id` is not taken for `at`.
  let best = Math.floor(wanted.length / 3) + 1
  for (const candidate of names) {
    const offered = folded(candidate)
    if (Math.abs(offered.length - wanted.length) >= best || candidate.length > CHARS_MAX) continue
    const errors = typingErrors(wanted, offered)
    if (errors >= best) continue
    best = errors
    nearest = candidate
  }
  return nearest
}

const folded = (name: string): string => name.replaceAll(/[_-]/g, '').toLowerCase()

/** Letters to insert, delete or replace (Levenshtein). */
function typingErrors(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
