/**
 * Reads JSON text into values that keep what schemas need: the order of keys, numbers as written, keys such as `__proto__` as plain keys.
 * Takes what Jackson takes when Java's Avro parses a schema: comments are allowed, the last of two equal keys wins at the place of the first.
 * Nesting and size are bounded; a syntax error says line and column.
 */
import type { Json } from './schema.ts'

export interface JsonLimits {
  readonly bytesMax: number
  readonly depthMax: number
}

export const jsonLimits: JsonLimits = { bytesMax: 1024 * 1024, depthMax: 320 }

export interface Position {
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 units. */
  readonly column: number
}

/** Keys and indexes from the root down to a value. */
export type JsonPath = readonly (string | number)[]

/** Text that is no JSON, or crosses a limit. `reason` has no position in it; `position` is where the trouble starts. */
export class JsonError extends Error {
  readonly reason: string
  readonly position: Position

  constructor(reason: string, position: Position) {
    super(`line ${position.line}, column ${position.column}: ${reason}`)
    this.name = 'JsonError'
    this.reason = reason
    this.position = position
  }
}

/** Parses one JSON value. Throws JsonError. */
export function parseJson(text: string, limits: JsonLimits = jsonLimits): Json {
  return new Reader(text, limits, []).document()
}

/** Where the value at `path` starts, or the deepest value on the way to it. The text must be one that parseJson accepts. */
export function locate(text: string, path: JsonPath, limits: JsonLimits = jsonLimits): Position {
  const reader = new Reader(text, limits, path)
  reader.document()
  return positionAt(text, reader.offsets.at(-1) ?? 0)
}

/** `$.fields[2].type`; a key that is no plain word is quoted in brackets. */
export function printPath(path: JsonPath): string {
  let printed = '$'
  for (const step of path) {
    if (typeof step === 'number') printed += `[${step}]`
    else printed += /^[A-Za-z_][A-Za-z0-9_-]*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`
  }
  return printed
}

function positionAt(text: string, offset: number): Position {
  let line = 1
  let lineStart = 0
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) {
    line++
    lineStart = at + 1
  }
  return { line, column: offset - lineStart + 1 }
}

/** Objects and arrays in one text: each takes far more memory than text. A megabyte of plain fields has fewer. */
const containersMax = 100_000

const numberPattern = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
/** Jackson's own bound. */
const numberLengthMax = 1000
const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t'
}

/**
 * Texts of which schemas are full: one string each, whose hash is known, instead of another wherever they stand. By length and the
 * first two characters, which no two of them share.
 */
const COMMON_LENGTHS = 16
const commonTexts: readonly (string | undefined)[] = ((): readonly (string | undefined)[] => {
  const texts = [
    'name',
    'type',
    'default',
    'null',
    'int',
    'long',
    'float',
    'double',
    'boolean',
    'string',
    'items',
    'values',
    'fields'
  ]
  texts.push('symbols', 'record', 'enum', 'array', 'map', 'doc', 'namespace', 'logicalType', 'aliases', 'order', 'precision')
  const table = new Array<string | undefined>(COMMON_LENGTHS << 7).fill(undefined)
  for (const text of texts) table[placeOf(text, 0, text.length)] = text
  return table
})()

/** Of what begins at `from` and has two characters and more, of which one that is not common may have the place of one that is. */
function placeOf(text: string, from: number, length: number): number {
  return (length << 7) | ((text.charCodeAt(from) + 7 * text.charCodeAt(from + 1)) & 127)
}

/** Recursive, which is safe because `depthMax` bounds it. */
class Reader {
  /** Where the root starts, then each value on the way down the path. */
  readonly offsets: number[] = []
  readonly #text: string
  readonly #limits: JsonLimits
  readonly #path: JsonPath
  /** Whether the value in hand lies on the path. */
  #onPath = true
  #containers = 0
  #at = 0

  constructor(text: string, limits: JsonLimits, path: JsonPath) {
    this.#text = text
    this.#limits = limits
    this.#path = path
  }

  document(): Json {
    if (Buffer.byteLength(this.#text) > this.#limits.bytesMax) {
      throw new JsonError(`the text is larger than ${this.#limits.bytesMax} bytes; split it into several schemas`, {
        line: 1,
        column: 1
      })
    }
    this.#skip()
    if (this.#at === this.#text.length) this.#fail('the text is empty; write a JSON value')
    this.offsets.push(this.#at)
    const value = this.#value(0)
    // No comments here: Java takes none behind the value.
    while (this.#at < this.#text.length && this.#text.charCodeAt(this.#at) <= 0x20) this.#at++
    if (this.#at < this.#text.length) this.#fail(`text after the end of the value: ${this.#excerpt()}; remove it`)
    return value
  }

  #value(depth: number): Json {
    const char = this.#text[this.#at]
    if (char === '{') return this.#object(depth)
    if (char === '[') return this.#array(depth)
    if (char === '"') return this.#string()
    if (char === '-' || isDigit(this.#text.charCodeAt(this.#at))) return this.#number()
    for (const [word, value] of words) {
      if (!this.#text.startsWith(word, this.#at)) continue
      if (/[\p{L}\p{N}_$]/u.test(this.#text[this.#at + word.length] ?? '')) break
      this.#at += word.length
      return value
    }
    return this.#number()
  }

  #object(depth: number): ReadonlyMap<string, Json> {
    this.#enter(depth)
    const members = new Map<string, Json>()
    const onPath = this.#onPath
    this.#at++
    this.#skip()
    while (this.#text[this.#at] !== '}') {
      if (this.#text[this.#at] !== '"') this.#fail(`a key in double quotes was expected, here is ${this.#excerpt()}`)
      const key = this.#string()
      this.#skip()
      if (this.#text[this.#at] !== ':')
        this.#fail(`':' was expected after the key ${JSON.stringify(key)}, here is ${this.#excerpt()}`)
      this.#at++
      this.#skip()
      this.#follow(onPath, depth, key)
      members.set(key, this.#value(depth + 1))
      this.#separator('}')
    }
    this.#at++
    this.#onPath = onPath
    return members
  }

  #array(depth: number): readonly Json[] {
    this.#enter(depth)
    const items: Json[] = []
    const onPath = this.#onPath
    this.#at++
    this.#skip()
    while (this.#text[this.#at] !== ']') {
      this.#follow(onPath, depth, items.length)
      items.push(this.#value(depth + 1))
      this.#separator(']')
    }
    this.#at++
    this.#onPath = onPath
    return items
  }

  /** The last of two equal keys takes the place of the first. */
  #follow(onPath: boolean, depth: number, step: string | number): void {
    this.#onPath = onPath && this.#path[depth] === step
    if (this.#onPath) this.offsets.splice(depth + 1, Number.POSITIVE_INFINITY, this.#at)
  }

  #enter(depth: number): void {
    if (depth >= this.#limits.depthMax) this.#fail(`values are nested deeper than ${this.#limits.depthMax}; flatten them`)
    if (++this.#containers > containersMax) this.#fail(`more than ${containersMax} objects and arrays; split the schema`)
  }

  /** Passes a comma, or stops before the closing bracket. A comma before the bracket is refused. */
  #separator(close: string): void {
    this.#skip()
    const char = this.#text[this.#at]
    if (char === close) return
    if (char !== ',') this.#fail(`',' or '${close}' was expected, here is ${this.#excerpt()}`)
    this.#at++
    this.#skip()
    if (this.#text[this.#at] === close) this.#fail(`a comma stands before '${close}'; remove it`)
  }

  #string(): string {
    const text = this.#text
    let from = ++this.#at
    let value = ''
    for (;;) {
      const code = text.charCodeAt(this.#at)
      if (code === 0x22) {
        const end = this.#at++
        const length = end - from
        const common = length < COMMON_LENGTHS && value === '' ? commonTexts[placeOf(text, from, length)] : undefined
        if (common !== undefined && text.startsWith(common, from)) return common
        return value + text.slice(from, end)
      }
      if (code === 0x5c) {
        value += text.slice(from, this.#at) + this.#escape()
        from = this.#at
      } else if (code < 0x20) {
        this.#fail(`a control character (${code}) stands in a string; write it as an escape such as \\n`)
      } else if (Number.isNaN(code)) {
        this.#fail('the text ends inside a string')
      } else this.#at++
    }
  }

  #escape(): string {
    const char = this.#text[this.#at + 1]
    if (char === 'u') {
      const digits = this.#text.slice(this.#at + 2, this.#at + 6)
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.#fail('\\u needs four hexadecimal digits')
      this.#at += 6
      return String.fromCharCode(Number.parseInt(digits, 16))
    }
    const value = char === undefined ? undefined : escapes[char]
    if (value === undefined) this.#fail(`\\${char ?? ''} is no escape of JSON; write \\\\ for a backslash`)
    this.#at += 2
    return value
  }

  #number(): Json {
    numberPattern.lastIndex = this.#at
    const end = numberPattern.test(this.#text) ? numberPattern.lastIndex : -1
    if (end === -1 || (!isSeparator(this.#text.charCodeAt(end)) && /[\p{L}\p{N}_.$]/u.test(this.#text[end] ?? ''))) {
      this.#fail(
        this.#at === this.#text.length
          ? 'the text ends where a value was expected'
          : `${this.#excerpt()} is no JSON value; names and texts need double quotes`
      )
    }
    const text = this.#text.slice(this.#at, end)
    if (text.length > numberLengthMax) this.#fail(`a number has more than ${numberLengthMax} characters`)
    this.#at = end
    return { text }
  }

  /** Passes white space and comments. */
  #skip(): void {
    const text = this.#text
    for (;;) {
      const code = text.charCodeAt(this.#at)
      if (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) this.#at++
      else if (code === 0x2f && text[this.#at + 1] === '*') {
        const end = text.indexOf('*/', this.#at + 2)
        if (end === -1) this.#fail('a comment has no end')
        this.#at = end + 2
      } else if (code === 0x2f && text[this.#at + 1] === '/') {
        while (this.#at < text.length && text[this.#at] !== '\n' && text[this.#at] !== '\r') this.#at++
      } else return
    }
  }

  #excerpt(): string {
    const word = /^[^\s,:{}[\]"]+|^./su.exec(this.#text.slice(this.#at, this.#at + 40))
    return word === null ? 'the end of the text' : `'${word[0]}'`
  }

  #fail(reason: string): never {
    throw new JsonError(reason, positionAt(this.#text, this.#at))
  }
}

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39
/** What mostly follows a number: a comma, a bracket, a space. */
const isSeparator = (code: number): boolean => code === 0x2c || code === 0x5d || code === 0x7d || code <= 0x20

const words: readonly (readonly [string, Json])[] = [
  ['true', true],
  ['false', false],
  ['null', null]
]
