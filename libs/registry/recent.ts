/** What was worked out lately, kept up to a number of entries and a weight: the same questions come again and again. */

export interface Recent<V> {
  get(key: string): V | undefined
  put(key: string, value: V): void
  /** What `make` gives, from memory when it was asked for lately. What it throws is not remembered. */
  once(key: string, make: () => V): V
}

export interface RecentLimits {
  readonly entriesMax: number
  /** Characters in all keys together. */
  readonly charsMax: number
  /** A longer key would push too many others out: it is not kept. */
  readonly keyCharsMax: number
}

/** The least recently used goes first. */
export function recent<V>({ entriesMax, charsMax, keyCharsMax }: RecentLimits): Recent<V> {
  const known = new Map<string, V>()
  let chars = 0

  const get = (key: string): V | undefined => {
    const value = known.get(key)
    if (value === undefined) return undefined
    // Moved to the end: the oldest stand in front.
    known.delete(key)
    known.set(key, value)
    return value
  }
  const put = (key: string, value: V): void => {
    if (key.length > keyCharsMax) return
    if (!known.delete(key)) chars += key.length
    known.set(key, value)
    for (const oldest of known.keys()) {
      if (known.size <= entriesMax && chars <= charsMax) break
      known.delete(oldest)
      chars -= oldest.length
    }
  }
  return {
    get,
    put,
    once(key, make) {
      const before = get(key)
      if (before !== undefined) return before
      const value = make()
      put(key, value)
      return value
    }
  }
}
