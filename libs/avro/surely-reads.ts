/**
 * A quick proof that a reader schema reads everything of a writer schema. True holds for Java, too; false says nothing, and the
 * complete comparison decides. What Java finds depends on the order in which it meets types, so nothing but the whole answer is taken
 * from here: a pair is proven without a single failure on the way, or not at all.
 *
 * Why Java then agrees: it takes a pair in progress as compatible, so its doubts only ever fall away, and it throws only where the aliases
 * of a reader field match two writer fields. Pairs that only Java would try are those of records in unions; there the proof wants
 * a reader without field aliases, which a number other than 0 says.
 */
import type { Steps } from './comparison.ts'
import { branchFor, promotes, Sources, sameName } from './matching.ts'
import type { EnumSchema, RecordSchema, Schema } from './schema.ts'
import { outlineOf, typeIdOf } from './type-identity.ts'

const stepsMax = 50_000
const depthMax = 500

/** The work counts on `steps`, and gives up long before they run out. */
export function surelyReads(reader: Schema, writer: Schema, steps: Steps = { left: stepsMax }): boolean {
  const proof = new Proof()
  const proven = proof.reads(reader, writer)
  steps.left -= proof.steps
  return proven
}

class Proof {
  /** Records that are compared, or were: a recursive type reads what it wrote unless something in it does not. */
  #assumed: Map<RecordSchema, Set<RecordSchema>> | undefined
  steps = 0
  #depth = 0

  reads(reader: Schema, writer: Schema): boolean {
    if (++this.steps > stepsMax || this.#depth >= depthMax) return false
    this.#depth++
    const proven = this.#decide(reader, writer)
    this.#depth--
    return proven
  }

  #decide(reader: Schema, writer: Schema): boolean {
    if (reader.kind === 'union' || writer.kind === 'union') return this.#unions(reader, writer)
    if (reader.kind === 'record') return writer.kind === 'record' && this.#records(reader, writer)
    if (reader.kind === 'array' && writer.kind === 'array') return this.reads(reader.items, writer.items)
    if (reader.kind === 'map' && writer.kind === 'map') return this.reads(reader.values, writer.values)
    if (reader.kind === 'enum' && writer.kind === 'enum') return sameName(reader, writer) && this.#knowsSymbols(reader, writer)
    if (reader.kind === 'fixed' && writer.kind === 'fixed') return sameName(reader, writer) && reader.size === writer.size
    return reader.kind === writer.kind || promotes(reader.kind, writer.kind)
  }

  #records(reader: RecordSchema, writer: RecordSchema): boolean {
    if (!sameName(reader, writer)) return false
    const { typeId, fieldIds, lastNeeded } = outlineOf(reader)
    const { typeId: writerTypeId, fieldIds: writerIds } = outlineOf(writer)
    if (typeId !== 0 && typeId === writerTypeId) return true
    this.steps += fieldIds.length >> 6
    // Versions of one subject mostly begin alike, and differ at the end.
    let index = 0
    while (index < fieldIds.length && fieldIds[index] === writerIds[index] && fieldIds[index] !== 0) index++
    if (index === writerIds.length && index > lastNeeded) return true
    if (this.#assume(reader, writer)) return true
    const sources = new Sources(writer, index)
    for (; index < fieldIds.length; index++) {
      const id = fieldIds[index]!
      if (id !== 0 && id === writerIds[sources.next]) {
        sources.take()
        continue
      }
      // All fields of the writer were met by their names, so the rest of the reader's are not among them.
      if (sources.met === writerIds.length && index > lastNeeded) return true
      const field = reader.fields[index]!
      const source = sources.of(field)
      if (source === 'ambiguous') return false
      if (source === undefined ? field.default === undefined : !this.reads(field.type, source.type)) return false
    }
    return true
  }

  /** Whether the pair was assumed before. */
  #assume(reader: RecordSchema, writer: RecordSchema): boolean {
    this.#assumed ??= new Map()
    const writers = this.#assumed.get(reader)
    if (writers === undefined) this.#assumed.set(reader, new Set([writer]))
    else if (writers.has(writer)) return true
    else writers.add(writer)
    return false
  }

  #knowsSymbols(reader: EnumSchema, writer: EnumSchema): boolean {
    if (reader.default !== undefined) return true
    this.steps += writer.symbols.length >> 3
    if (writer.symbols.every((symbol, index) => symbol === reader.symbols[index])) return true
    const known = new Set(reader.symbols)
    return writer.symbols.every(symbol => known.has(symbol))
  }

  #unions(reader: Schema, writer: Schema): boolean {
    const typeId = typeIdOf(reader)
    if (typeId !== 0 && typeId === typeIdOf(writer)) return true
    if (typeId === 0 && (countRecords(reader) > 1 || countRecords(writer) > 1)) return false
    const branches = writer.kind === 'union' ? writer.branches : [writer]
    return branches.every(branch => {
      if (reader.kind === 'union') this.steps += reader.branches.length >> 4
      const own = reader.kind === 'union' ? branchFor(branch, reader) : reader
      return own !== undefined && this.reads(own, branch)
    })
  }
}

const countRecords = (schema: Schema): number =>
  schema.kind === 'union' ? schema.branches.filter(branch => branch.kind === 'record').length : 0
