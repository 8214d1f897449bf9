/**
 * The codec of an API at one version, compiled on first use: straight-line JavaScript made from the declaration, whose names are ours.
 * Decoding bounds every length by the bytes left; what was wrong is said with API, version and field.
 */
import { AssayError } from '@assay/errors'
import type { AnyApi, RequestOf, ResponseOf } from './api.ts'
import { type AnyField, Field, type Fields, type Kind } from './field.ts'
import { Reader, WireFault } from './reader.ts'
import { Writer } from './writer.ts'

type Direction = 'request' | 'response'
type Decode = (reader: Reader) => object
type Encode = (writer: Writer, message: object) => void

interface Codec {
  readonly decode: Decode
  readonly encode: Encode
}

/**
 * Reads a request body from `start` on, with at most `elementsMax` elements in all its arrays. What stands behind it is not looked at, as
 * in Kafka: librdkafka 2.16 sends three bytes too many when it asks Metadata 13 for all topics. Fails with MALFORMED_REQUEST.
 */
export function decodeRequest<A extends AnyApi>(
  api: A,
  version: number,
  buffer: Buffer,
  start = 0,
  elementsMax = Number.POSITIVE_INFINITY
): RequestOf<A> {
  return decode(api, 'request', version, new Reader(buffer, start, buffer.length, elementsMax)) as RequestOf<A>
}

/** Reads a response body, which must fill `buffer` from `start` on. Fails with MALFORMED_REQUEST. */
export function decodeResponse<A extends AnyApi>(api: A, version: number, buffer: Buffer, start = 0): ResponseOf<A> {
  return decode(api, 'response', version, new Reader(buffer, start, buffer.length)) as ResponseOf<A>
}

/** The body as a row of buffers; a field that the version does not carry is left out. */
export function encodeRequest<A extends AnyApi>(api: A, version: number, message: RequestOf<A>): Buffer[] {
  return encode(api, 'request', version, message as object)
}

/** The body as a row of buffers: record batches stand in it as they were handed over, not copied. */
export function encodeResponse<A extends AnyApi>(api: A, version: number, message: ResponseOf<A>): Buffer[] {
  return encode(api, 'response', version, message as object)
}

function decode(api: AnyApi, direction: Direction, version: number, reader: Reader): object {
  try {
    const message = codecOf(api, direction, version).decode(reader)
    reader.field = ''
    if (direction === 'response') reader.finish()
    return message
  } catch (error) {
    if (!(error instanceof WireFault)) throw error
    const place = reader.field === '' ? '' : `${reader.field}: `
    throw new AssayError('MALFORMED_REQUEST', { api: api.name, version, reason: place + error.message }, { cause: error })
  }
}

function encode(api: AnyApi, direction: Direction, version: number, message: object): Buffer[] {
  const writer = new Writer()
  codecOf(api, direction, version).encode(writer, message)
  return writer.buffers()
}

/** By version: at twice the version the request's codec, behind it the response's. */
const codecs = new WeakMap<AnyApi, Codec[]>()

function codecOf(api: AnyApi, direction: Direction, version: number): Codec {
  let own = codecs.get(api)
  if (!own) {
    own = []
    codecs.set(api, own)
  }
  const place = 2 * version + (direction === 'request' ? 0 : 1)
  const known = own[place]
  if (known) return known
  const codec = compile(api, direction, version)
  own[place] = codec
  return codec
}

function compile(api: AnyApi, direction: Direction, version: number): Codec {
  if (version < api.versions[0] || version > api.versions[1]) {
    throw new RangeError(`${api.name} has no version ${version}`)
  }
  const source = new Source(version, version >= api.flexibleSince)
  const fields = api[direction] as Fields
  const decode = source.decodeStruct(fields, '')
  const encode = source.encodeStruct(fields, 'm')
  // Names in the code are those of the declarations; values reach it through `fallbacks` only.
  const make = new Function(
    'fallbacks',
    'Writer',
    `"use strict"; return { decode(r) { ${decode.before} return ${decode.value} }, encode(w, m) { ${encode} } }`
  )
  return make(source.fallbacks, Writer) as Codec
}

/** An expression, and the statements that must run before it. */
interface Code {
  readonly before: string
  readonly value: string
}

const FIXED_METHODS: Partial<Record<Kind, string>> = {
  bool: 'bool',
  int8: 'int8',
  int16: 'int16',
  uint16: 'uint16',
  int32: 'int32',
  uint32: 'uint32',
  int64: 'int64',
  float64: 'float64',
  uuid: 'uuid'
}

class Source {
  readonly fallbacks: unknown[] = []
  readonly #version: number
  readonly #flexible: boolean
  #names = 0

  constructor(version: number, flexible: boolean) {
    this.#version = version
    this.#flexible = flexible
  }

  #name(): string {
    return `v${this.#names++}`
  }

  #carries({ shape }: AnyField): boolean {
    return shape.since <= this.#version && this.#version <= shape.until
  }

  #nullable({ shape }: AnyField): boolean {
    return shape.nullableSince <= this.#version
  }

  #fallback({ shape }: AnyField): string {
    return `fallbacks[${this.fallbacks.push(shape.fallback) - 1}]`
  }

  decodeStruct(fields: Fields, path: string): Code {
    const statements: string[] = []
    const values: string[] = []
    const tagged: [string, AnyField, string][] = []
    for (const [name, field] of Object.entries(fields)) {
      const variable = this.#name()
      values.push(`${name}: ${variable}`)
      const inPlace = this.#carries(field) && field.shape.tag < 0
      if (!inPlace) {
        statements.push(`let ${variable} = ${this.#fallback(field)};`)
        if (this.#carries(field) && this.#flexible) tagged.push([name, field, variable])
        continue
      }
      const place = path === '' ? name : `${path}.${name}`
      statements.push(`r.field = ${JSON.stringify(place)};`)
      const code = this.#decode(field, place)
      statements.push(`${code.before} const ${variable} = ${code.value};`)
    }
    if (this.#flexible) statements.push(this.#decodeTags(tagged, path))
    return { before: statements.join(' '), value: `{ ${values.join(', ')} }` }
  }

  #decodeTags(tagged: readonly [string, AnyField, string][], path: string): string {
    if (tagged.length === 0) return 'r.skipTags();'
    const [count, index, size, outer] = [this.#name(), this.#name(), this.#name(), this.#name()]
    const cases = tagged.map(([name, field, variable]) => {
      const place = path === '' ? name : `${path}.${name}`
      const code = this.#decode(field, place)
      return `case ${field.shape.tag}: { r.field = ${JSON.stringify(place)}; const ${outer} = r.enter(${size}); ${code.before} ${variable} = ${code.value}; r.leave(${outer}); break }`
    })
    return `const ${count} = r.compactCount(); for (let ${index} = 0; ${index} < ${count}; ${index}++) { const tag = r.uvarint(); const ${size} = r.uvarint(); switch (tag) { ${cases.join(' ')} default: r.slice(${size}) } }`
  }

  #decode(field: AnyField, path: string): Code {
    const { kind, of } = field.shape
    const fixed = FIXED_METHODS[kind]
    if (fixed) return { before: '', value: `r.${fixed}()` }
    const onNull = this.#nullable(field) ? 'null' : 'r.refuseNull()'
    if (kind === 'struct') return this.#decodeInnerStruct(field, of as Fields, path)
    const length = this.#name()
    if (kind === 'array') return this.#decodeArray(length, onNull, of!, path)
    const measure = this.#flexible ? 'compactLength' : kind === 'string' ? 'length16' : 'length32'
    const taken = kind === 'string' ? `r.text(${length})` : kind === 'batches' ? `[r.slice(${length})]` : `r.slice(${length})`
    return { before: `const ${length} = r.${measure}();`, value: `${length} < 0 ? ${onNull} : ${taken}` }
  }

  /** A struct that may be null is led by a byte: -1 for null (KIP-893). */
  #decodeInnerStruct(field: AnyField, fields: Fields, path: string): Code {
    const inner = this.decodeStruct(fields, path)
    if (!this.#nullable(field)) return inner
    const variable = this.#name()
    return {
      before: `let ${variable} = null; if (r.int8() >= 0) { ${inner.before} ${variable} = ${inner.value}; }`,
      value: variable
    }
  }

  #decodeArray(length: string, onNull: string, of: Fields | AnyField, path: string): Code {
    const [list, index] = [this.#name(), this.#name()]
    const element = of instanceof Field ? this.#decode(of, `${path}[]`) : this.decodeStruct(of, `${path}[]`)
    const measure = this.#flexible ? 'compactLength' : 'length32'
    const fill = `for (let ${index} = 0; ${index} < ${length}; ${index}++) { ${element.before} ${list}.push(${element.value}); }`
    return {
      before: `const ${length} = r.${measure}(); let ${list}; if (${length} < 0) ${list} = ${onNull}; else { r.spend(${length}); ${list} = []; ${fill} }`,
      value: list
    }
  }

  encodeStruct(fields: Fields, message: string): string {
    const statements: string[] = []
    const tagged: [AnyField, string][] = []
    for (const [name, field] of Object.entries(fields)) {
      if (!this.#carries(field)) continue
      const value = `${message}.${name}`
      if (field.shape.tag < 0) statements.push(this.#encode(field, value))
      else if (this.#flexible) tagged.push([field, value])
    }
    if (this.#flexible) statements.push(this.#encodeTags(tagged))
    return statements.join(' ')
  }

  #encodeTags(tagged: readonly [AnyField, string][]): string {
    if (tagged.length === 0) return 'w.uvarint(0);'
    const set = tagged.map(([field, value]) => ({ field, value, isSet: this.#name() }))
    const tests = set.map(({ field, value, isSet }) => `const ${isSet} = ${this.#differs(field, value)};`)
    const count = set.map(({ isSet }) => `(${isSet} ? 1 : 0)`).join(' + ')
    const writes = set
      .sort((a, b) => a.field.shape.tag - b.field.shape.tag)
      .map(({ field, value, isSet }) => {
        const outer = this.#name()
        const body = this.#encode(field, value)
        return `if (${isSet}) { const ${outer} = w; { const w = new Writer(64); ${body} ${outer}.tagged(${field.shape.tag}, w); } }`
      })
    return `${tests.join(' ')} w.uvarint(${count}); ${writes.join(' ')}`
  }

  /** Whether a tagged field has to be written. */
  #differs(field: AnyField, value: string): string {
    const { kind, of, fallback } = field.shape
    if (kind === 'array' || kind === 'bytes' || kind === 'records' || kind === 'batches') {
      return fallback === null ? `${value} != null` : `${value} !== undefined && (${value} === null || ${value}.length > 0)`
    }
    if (kind !== 'struct' || fallback === null) return `${value} !== undefined && ${value} !== ${this.#fallback(field)}`
    const parts = Object.entries(of as Fields).map(([name, inner]) => `(${this.#differs(inner, `${value}.${name}`)})`)
    return `${value} !== undefined && (${parts.join(' || ')})`
  }

  #encode(field: AnyField, given: string): string {
    const { kind, of } = field.shape
    const value = this.#name()
    // A field that the message leaves out is its default; of a message built by our own handlers only optional ones are.
    const start = `let ${value} = ${given}; if (${value} === undefined) ${value} = ${this.#fallback(field)};`
    const fixed = FIXED_METHODS[kind]
    if (fixed) return `${start} w.${fixed}(${value});`
    const check = this.#nullable(field)
      ? ''
      : `if (${value} === null) throw new TypeError(${JSON.stringify(`${given.slice(2)} is null`)});`
    if (kind === 'struct') return `${start} ${check} ${this.#encodeInnerStruct(field, of as Fields, value)}`
    if (kind === 'array') return `${start} ${check} ${this.#encodeArray(of!, value)}`
    const method = kind === 'string' ? 'string' : 'bytes'
    const compact = kind === 'string' ? 'compactString' : 'compactBytes'
    return `${start} ${check} w.${this.#flexible ? compact : method}(${value});`
  }

  #encodeInnerStruct(field: AnyField, fields: Fields, value: string): string {
    const inner = this.encodeStruct(fields, value)
    if (!this.#nullable(field)) return `{ ${inner} }`
    return `if (${value} === null) w.int8(-1); else { w.int8(1); ${inner} }`
  }

  #encodeArray(of: Fields | AnyField, value: string): string {
    const element = this.#name()
    const body = of instanceof Field ? this.#encode(of, element) : this.encodeStruct(of, element)
    const count = this.#flexible ? 'compactCount' : 'count'
    return `w.${count}(${value} === null ? -1 : ${value}.length); if (${value} !== null) for (const ${element} of ${value}) { ${body} }`
  }
}
