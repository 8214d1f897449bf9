/** What Java's Avro takes as a name: letters and digits of any script (one UTF-16 unit each) and the underscore, no digit first. */

const plainName = /^[A-Za-z_][A-Za-z0-9_]*$/
const namePattern = /^[\p{L}_][\p{L}\p{Nd}_]*$/u
/** Letters beyond U+FFFF are two units in Java, neither of them a letter. */
const surrogate = /[\ud800-\udfff]/

/** Of a name with its namespace, a field's name, a symbol: each may stand in a thousand messages. Java's Avro has no such bound. */
const nameCharsMax = 1_000

/** Why a full name is too long; undefined when it is not. */
export const lengthFault = (name: string): string | undefined =>
  name.length > nameCharsMax ? `has ${name.length} characters; the limit is ${nameCharsMax}` : undefined

/** Why `name` is no name, and how to mend it; undefined when it is one. */
export function nameFault(name: string): string | undefined {
  if (name.length > nameCharsMax) return lengthFault(name)
  if (plainName.test(name) || (namePattern.test(name) && !surrogate.test(name))) return undefined
  if (name === '') return 'is empty'
  const mended = name
    .replace(/[\ud800-\udfff]/g, '_')
    .replace(/[^\p{L}\p{Nd}_]/gu, '_')
    .replace(/^(?=\p{Nd})/u, '_')
  return `may hold only letters, digits and underscores and not begin with a digit; write "${mended}"`
}

/** A name and a namespace to a full name: a dot in the name wins over the namespace; an empty namespace is none. */
export function fullNameOf(name: string, namespace: string): string {
  const dot = name.lastIndexOf('.')
  if (dot === 0) return name.slice(1)
  return dot > 0 || namespace === '' ? name : `${namespace}.${name}`
}
