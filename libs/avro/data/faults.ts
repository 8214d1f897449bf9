/** What goes wrong between bytes, JSON and values of a program, always with the place in the value. */

/** A value that its schema does not allow. */
export class EncodeFault extends Error {
  /** Where in the value: `items[3].price`; empty for the value as a whole. */
  readonly path: string
  /** What was expected and what was found: `expected int, got "seven"`. */
  readonly reason: string

  constructor(path: string, reason: string) {
    super(path === '' ? reason : `${path}: ${reason}`)
    this.name = 'EncodeFault'
    this.path = path
    this.reason = reason
  }
}

/** Bytes that are no value of the writer's schema, or a value that the reader's schema or the program's types cannot hold. */
export class DecodeFault extends Error {
  readonly path: string
  readonly reason: string

  constructor(path: string, reason: string) {
    super(path === '' ? reason : `${path}: ${reason}`)
    this.name = 'DecodeFault'
    this.path = path
    this.reason = reason
  }
}

/** Thrown inside this folder where the place is not known; whoever knows it makes a fault of it. */
export class Refusal extends Error {
  readonly reason: string

  constructor(reason: string) {
    super(reason)
    this.name = 'Refusal'
    this.reason = reason
  }
}

/** Short words for a value in a reason: `"seven"`, `5`, `an array`. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
    case 'bigint':
      return `${value}n`.length > 40 ? 'a long bigint' : `${value}n`
    case 'object':
      if (value === null) return 'null'
      if (Array.isArray(value)) return 'an array'
      return value instanceof Uint8Array ? `${value.length} bytes` : describeObject(value)
    case 'undefined':
      return 'nothing'
    case 'number':
    case 'boolean':
      return String(value)
    default:
      return `a ${typeof value}`
  }
}

function describeObject(value: object): string {
  const prototype: object | null = Object.getPrototypeOf(value)
  if (prototype === null || prototype === Object.prototype) return 'an object'
  const { name } = prototype.constructor
  return typeof name === 'string' && /^\w{1,40}$/.test(name) ? `a ${name}` : 'an object'
}

const NAMES_MAX = 8

/** Names in a reason, the first of many. */
export function listed(names: readonly string[]): string {
  return names.length > NAMES_MAX ? `${names.slice(0, NAMES_MAX).join(', ')}, …` : names.join(', ')
}
