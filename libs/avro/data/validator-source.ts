/**
 * The JavaScript of a validator: straight-line code for each type, a function for each record. Names of the schema never enter the code;
 * what it holds of them is numbers: counts of symbols and branches, sizes, positions in the list of records.
 */
import type { RecordSchema, Schema } from '../schema.ts'
import { minWidths, WIDTHLESS_MAX, type Widths } from './width.ts'

/** Records inside records. */
export const DEPTH_MAX = 64

/** The body of a function with the parameters `scanLong, scanInt, scanNumber, scanBytes, scanString, scanned` that returns the scanner. */
export function validatorSource(schema: Schema): string {
  return new Source(minWidths()).render(schema)
}

class Source {
  readonly #widths: Widths
  readonly #records = new Map<RecordSchema, number>()
  readonly #functions: string[] = []
  #names = 0

  constructor(widths: Widths) {
    this.#widths = widths
  }

  render(schema: Schema): string {
    const root = this.#code(schema)
    // `z` counts the items of the value that took no bytes.
    const scan = `function scan(b, p, e, d) { z = 0; ${root} return p }`
    return `"use strict";\nlet z = 0;\n${[...this.#functions, scan].join('\n')}\nreturn scan`
  }

  #name(): string {
    return `v${this.#names++}`
  }

  /** Statements that move `p` behind the value, or return -1. `d` is the depth of records around it. */
  #code(schema: Schema): string {
    switch (schema.kind) {
      case 'null':
        return ''
      case 'boolean':
        return 'if (p >= e || b[p] > 1) return -1; p++;'
      case 'int':
        return 'if (p < e && b[p] < 128) p++; else if ((p = scanInt(b, p, e)) < 0) return -1;'
      case 'long':
        return 'if (p < e && b[p] < 128) p++; else if ((p = scanLong(b, p, e)) < 0) return -1;'
      case 'float':
        return 'if ((p += 4) > e) return -1;'
      case 'double':
        return 'if ((p += 8) > e) return -1;'
      case 'fixed':
        return schema.size === 0 ? '' : `if ((p += ${schema.size}) > e) return -1;`
      case 'bytes':
        return 'if ((p = scanBytes(b, p, e)) < 0) return -1;'
      case 'string':
        return 'if ((p = scanString(b, p, e)) < 0) return -1;'
      case 'enum':
        return this.#index(schema.symbols.length, '')
      case 'union': {
        const cases = schema.branches.map((branch, index) => `case ${index}: { ${this.#code(branch)} break }`)
        return this.#index(schema.branches.length, `switch (i) { ${cases.join(' ')} }`)
      }
      case 'array':
        if (this.#widths.of(schema.items) === 0) return this.#blocks(undefined, this.#widths.weightOf(schema.items))
        return this.#blocks(this.#code(schema.items), 0)
      case 'map':
        return this.#blocks(`${this.#code({ kind: 'string', properties: new Map() })} ${this.#code(schema.values)}`, 0)
      case 'record':
        // What takes no bytes is right by itself: walking over it could take for ever.
        if (this.#widths.of(schema) === 0) return this.#widths.weightOf(schema) > WIDTHLESS_MAX ? 'return -1;' : ''
        return `if (d >= ${DEPTH_MAX} || (p = ${this.#record(schema)}(b, p, e, d + 1)) < 0) return -1;`
    }
  }

  #index(count: number, then: string): string {
    const short = 'if (p < e && b[p] < 128 && (b[p] & 1) === 0) i = b[p++] >> 1;'
    const long = `else { if ((p = scanNumber(b, p, e)) < 0) return -1; i = scanned.value; }`
    return `{ let i = 0; ${short} ${long} if (i < 0 || i >= ${count}) return -1; ${then} }`
  }

  /**
   * Blocks of items (Avro 1.12, "Arrays"): a negative count is followed by the block's size, which must be what the block takes.
   * `item` is undefined for items that take no bytes, of which only the weight counts.
   */
  #blocks(item: string | undefined, weight: number): string {
    const [count, end, index] = [this.#name(), this.#name(), this.#name()]
    const free = weight > WIDTHLESS_MAX ? 'true' : `(z += ${count} * ${weight}) > ${WIDTHLESS_MAX}`
    const bound = item === undefined ? free : `${count} > e - p`
    const items = item === undefined ? '' : `for (let ${index} = 0; ${index} < ${count}; ${index}++) { ${item} }`
    return `for (;;) {
      if ((p = scanNumber(b, p, e)) < 0) return -1;
      let ${count} = scanned.value, ${end} = -1;
      if (${count} === 0) break;
      if (${count} < 0) {
        ${count} = -${count};
        if ((p = scanNumber(b, p, e)) < 0 || scanned.value < 0 || scanned.value > e - p) return -1;
        ${end} = p + scanned.value;
      }
      if (${bound}) return -1;
      ${items}
      if (${end} >= 0 && p !== ${end}) return -1;
    }`
  }

  #record(schema: RecordSchema): string {
    const known = this.#records.get(schema)
    if (known !== undefined) return `r${known}`
    const number = this.#records.size
    this.#records.set(schema, number)
    const fields = schema.fields.map(field => this.#code(field.type)).join('\n')
    this.#functions.push(`function r${number}(b, p, e, d) { ${fields} return p }`)
    return `r${number}`
  }
}
