/** Random schemas and values from a seed, so that a failing round can be run again. Values look as avsc wants them with wrapped unions. */

export type Random = (below: number) => number

/** A linear congruential generator (Numerical Recipes): whole numbers from 0 up to, and without, `below`. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  return below => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

export type PlainSchema = string | PlainSchema[] | PlainType

/** A schema as a JSON object. */
export interface PlainType {
  readonly type: string
  readonly name?: string
  readonly items?: PlainSchema
  readonly values?: PlainSchema
  readonly symbols?: readonly string[]
  readonly default?: unknown
  readonly size?: number
  readonly fields?: readonly PlainField[]
}

export interface PlainField {
  readonly name: string
  readonly type: PlainSchema
  readonly aliases?: readonly string[]
  readonly default?: unknown
}

export const pick = <T>(random: Random, choices: readonly T[]): T => choices[random(choices.length)]!

const primitives = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'] as const

/** Where promotions cannot lead from one branch of a union to another: avsc takes the first that fits, Java the same type. */
const apart = ['null', 'boolean', 'double', 'string'] as const

export interface Names {
  /** Names are numbered, so that each is used once. */
  next: number
  /** Unions whose branches cannot be promoted to each other. */
  readonly apart?: boolean
}

export function randomSchema(random: Random, names: Names, depth = 0): PlainSchema {
  const kinds = depth > 3 ? 1 : 7
  switch (random(kinds)) {
    case 1:
      return { type: 'array', items: randomSchema(random, names, depth + 1) }
    case 2:
      return { type: 'map', values: randomSchema(random, names, depth + 1) }
    case 3:
      return { type: 'enum', name: `E${names.next++}`, symbols: ['A', 'B', 'B2', 'D'].slice(0, 1 + random(4)) }
    case 4:
      return { type: 'fixed', name: `F${names.next++}`, size: 1 + random(5) }
    case 5: {
      const branches = (names.apart ? apart : primitives).filter(() => random(3) === 0)
      const named = random(2) === 0 ? [randomRecord(random, names, depth)] : []
      return [...(branches.length + named.length === 0 ? ['null', 'string'] : branches), ...named]
    }
    case 6:
      return randomRecord(random, names, depth)
    default:
      return pick(random, primitives)
  }
}

export function randomRecord(random: Random, names: Names, depth = 0): PlainType {
  const name = `R${names.next++}`
  const fields: PlainField[] = Array.from({ length: 1 + random(5) }, (_, index) => ({
    name: `f${index}`,
    type: randomSchema(random, names, depth + 1)
  }))
  if (random(3) === 0) fields.push({ name: 'next', type: ['null', name] })
  return { type: 'record', name, fields }
}

const texts = ['', 'a', 'Grüße', '日本', '😀', '__proto__', 'constructor', 'x'.repeat(70), '\u0000"\\\n', 'NaN', '12']
const doubles = [0, -0, 1.5, -2.25, 1e300, 5e-324, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN]
/** As far as avsc goes. */
const longs = [0, 1, -1, 63, 64, -64, -65, 2 ** 31, -(2 ** 31) - 1, 2 ** 52 + 1, 2 ** 53 - 2, -(2 ** 53) + 2]

/** A value of a schema; `named` collects its named types on the way. Recursion ends by itself, with null. */
export function randomValue(schema: PlainSchema, random: Random, named = new Map<string, PlainSchema>(), depth = 0): unknown {
  if (Array.isArray(schema)) {
    for (const branch of schema) remember(branch, named)
    const ends = depth > 4 && schema.includes('null')
    const branch = ends ? 'null' : pick(random, schema)
    if (branch === 'null') return null
    return { [nameOf(branch)]: randomValue(branch, random, named, depth + 1) }
  }
  const found = typeof schema === 'string' ? named.get(schema) : undefined
  if (found !== undefined) return randomValue(found, random, named, depth)
  if (typeof schema === 'string') return randomPrimitive(schema, random)
  remember(schema, named)
  const { type } = schema
  switch (type) {
    case 'array':
      return Array.from({ length: random(4) }, () => randomValue(schema.items!, random, named, depth + 1))
    case 'map': {
      const entries = Array.from({ length: random(4) }, (_, index) => [
        pick(random, ['a', 'key', 'Ü', 'constructor']) + index,
        randomValue(schema.values!, random, named, depth + 1)
      ])
      return Object.fromEntries(entries)
    }
    case 'enum':
      return pick(random, schema.symbols!)
    case 'fixed':
      return Buffer.from(Array.from({ length: schema.size! }, () => random(256)))
    case 'record':
      return Object.fromEntries(schema.fields!.map(field => [field.name, randomValue(field.type, random, named, depth + 1)]))
    default:
      return randomPrimitive(type, random)
  }
}

function randomPrimitive(kind: string, random: Random): unknown {
  switch (kind) {
    case 'null':
      return null
    case 'boolean':
      return random(2) === 1
    case 'int':
      return pick(random, [0, 1, -1, 63, 64, -65, 1000, 2 ** 31 - 1, -(2 ** 31), random(2 ** 20)])
    case 'long':
      return pick(random, [...longs, random(2 ** 20)])
    case 'float':
      return Math.fround(
        pick(
          random,
          doubles.filter(value => Math.abs(value) !== 1e300)
        )
      )
    case 'double':
      return pick(random, doubles)
    case 'bytes':
      return Buffer.from(Array.from({ length: random(6) }, () => random(256)))
    default:
      return pick(random, texts)
  }
}

const nameOf = (schema: PlainSchema): string =>
  typeof schema === 'string' ? schema : Array.isArray(schema) ? 'union' : (schema.name ?? schema.type)

function remember(schema: PlainSchema, named: Map<string, PlainSchema>): void {
  if (typeof schema === 'object' && !Array.isArray(schema) && schema.name !== undefined) named.set(schema.name, schema)
}
