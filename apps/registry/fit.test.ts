import { type TSchema, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { describe, expect, test } from 'vitest'
import { fitOf } from './fit.ts'
import { t } from './json-schema.ts'

type Random = (below: number) => number

/** mulberry32: small, and the same on every machine. */
function randomOf(seed: number): Random {
  let state = seed
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const NAMES = ['a', 'b', 'a/b', 'm~n', '__proto__']

/** The same schema by whichever builders, as far as routes go. */
function schemaBy(of: typeof t, random: Random, depth: number): TSchema {
  const leaf = depth === 0
  switch (random(leaf ? 7 : 12)) {
    case 0:
      return of.String(random(2) === 0 ? {} : { minLength: 1, description: 'Text.' })
    case 1:
      return of.Integer(random(2) === 0 ? { minimum: 0 } : { minimum: 1, maximum: 3, default: 2 })
    case 2:
      return of.Boolean()
    case 3:
      return of.Null()
    case 4:
      return of.Number()
    case 5:
      return of.Literal(['x', 5, true][random(3)] as 'x')
    case 6:
      return of.Unknown()
    case 7:
      return of.Array(schemaBy(of, random, depth - 1), random(2) === 0 ? {} : { minItems: 1, maxItems: 2 })
    case 8:
      return of.Union([schemaBy(of, random, depth - 1), schemaBy(of, random, depth - 1)])
    case 9:
      return of.Record(of.String(), schemaBy(of, random, depth - 1))
    default:
      return objectBy(of, random, depth)
  }
}

function objectBy(of: typeof t, random: Random, depth: number): TSchema {
  const names = NAMES.slice(0, 4).filter(() => random(2) === 0)
  const properties = names.map(name => {
    const schema = schemaBy(of, random, depth - 1)
    return [name, random(2) === 0 ? schema : of.Optional(schema)]
  })
  const object = of.Object(Object.fromEntries(properties), random(3) === 0 ? { additionalProperties: false } : {})
  return random(5) === 0 ? of.Partial(object) : object
}

function value(random: Random, depth: number): unknown {
  switch (random(depth === 0 ? 7 : 10)) {
    case 0:
      return ['', 'x', 'yy'][random(3)]
    case 1:
      return random(6) - 1
    case 2:
      return 1.5
    case 3:
      return random(2) === 0
    case 4:
      return null
    case 5:
      return []
    case 6:
      return {}
    case 7:
      return Array.from({ length: random(4) }, () => value(random, depth - 1))
    default:
      return Object.fromEntries(NAMES.filter(() => random(2) === 0).map(name => [name, value(random, depth - 1)]))
  }
}

/** What TypeBox says of a property that nobody knows would tell its sender nothing. */
const inOurWords = (message: string): string => (message === 'schema is false' ? 'must not be there' : message)

describe('beside TypeBox', () => {
  test.each([1, 2, 3, 4])('the same schemas and verdicts, and words of theirs, seed %i', seed => {
    let fitting = 0
    for (let run = 0; run < 150; run++) {
      const [ours, theirs] = [schemaBy(t, randomOf(seed * 1000 + run), 3), schemaBy(Type, randomOf(seed * 1000 + run), 3)]
      expect(JSON.stringify(ours)).toBe(JSON.stringify(theirs))
      const [fit, compiled] = [fitOf(ours), Compile(theirs)]
      const random = randomOf(seed + run)
      for (let round = 0; round < 20; round++) {
        const given = value(random, 3)
        const faults = compiled.Check(given) ? [] : compiled.Errors(given)
        const where = `${JSON.stringify(theirs)} of ${JSON.stringify(given)}`
        const misfit = fit(given)
        expect(misfit === undefined, where).toBe(faults.length === 0)
        if (misfit === undefined) fitting++
        // Which of several comes first is a matter of taste: lengths are looked at before what they count.
        else
          expect(
            faults.map(({ instancePath, message }) => ({ path: instancePath, message: inOurWords(message) })),
            where
          ).toContainEqual(misfit)
      }
    }
    expect(fitting).toBeGreaterThan(300)
  })
})

test.each([
  ['a keyword that nobody would check', { type: 'string', pattern: '^a' }, /keyword pattern/],
  ['the same further in', { type: 'object', properties: { a: { type: 'array', uniqueItems: true } } }, /keyword uniqueItems/],
  ['a type that no JSON has', { type: 'void' }, /type void/],
  ['a map of some keys', { type: 'object', patternProperties: { '^x': {} } }, /every key/]
])('a schema is refused: %s', (_, schema, message) => {
  expect(() => fitOf(schema)).toThrow(message)
})

test('a mark of what is optional stands in no copy', () => {
  const schema = t.Optional(t.String({ description: 'Text.' }))
  expect(Object.keys(schema)).toEqual(['type', 'description'])
  expect(t.Object({ a: { ...schema } })).toHaveProperty('required', ['a'])
})
