/**
 * How the shapes of routes are written down: plain JSON Schemas with the types of TypeBox, so that types are inferred from them. The values
 * are made here, because TypeBox's own builders are part of 680 modules that a server would load at every start and keep in memory.
 */
import type { TObject, TSchema, Type } from 'typebox'

type Builders = Pick<
  typeof Type,
  | 'Array'
  | 'Boolean'
  | 'Integer'
  | 'Literal'
  | 'Null'
  | 'Number'
  | 'Object'
  | 'Optional'
  | 'Partial'
  | 'Record'
  | 'String'
  | 'Union'
  | 'Unknown'
  | 'Void'
>

type Options = Readonly<Record<string, unknown>>
type Schemas = Readonly<Record<string, object>>

/** Marks a property that may be left out. It stands in no JSON, and is not copied by a spread. */
const optional = Symbol('optional')

const plain = (type: string) => (options?: Options) => ({ type, ...options })

const builders = {
  Array: (items: object, options?: Options) => ({ type: 'array', items, ...options }),
  Boolean: plain('boolean'),
  Integer: plain('integer'),
  Literal: (value: boolean | number | string, options?: Options) => ({ type: typeof value, const: value, ...options }),
  Null: plain('null'),
  Number: plain('number'),
  Object: (properties: Schemas, options?: Options) => {
    const required = Object.keys(properties).filter(name => !Object.hasOwn(properties[name]!, optional))
    return { type: 'object', ...(required.length > 0 && { required }), properties, ...options }
  },
  Optional: (schema: object) => Object.defineProperty({ ...schema }, optional, { value: true }),
  Partial: ({ properties }: TObject, options?: Options) => ({ type: 'object', properties, ...options }),
  Record: (_key: TSchema, value: object, options?: Options) => ({
    type: 'object',
    patternProperties: { [ANY_NAME]: value },
    ...options
  }),
  String: plain('string'),
  Union: (anyOf: readonly object[], options?: Options) => ({ anyOf, ...options }),
  Unknown: (options?: Options) => ({ ...options }),
  Void: plain('void')
}

/** The pattern of a record's keys: every one fits. */
export const ANY_NAME = '^.*$'

// The border between what TypeBox says of its builders and what is built here; the test beside this compares them.
export const t = builders as unknown as Builders
