/** Which types and fields of a reader and a writer meet each other, by name and kind, before anything inside them is looked at. */
import type { Field, NamedSchema, RecordSchema, Schema, UnionSchema } from './schema.ts'
import { namespaceOf, shortName } from './schema.ts'

/** Only short names count. An alias without namespace, in a type with one, matches nothing in Java. */
export function sameName(reader: NamedSchema, writer: NamedSchema): boolean {
  if (shortName(reader.name) === shortName(writer.name)) return true
  return reader.aliases.includes(writer.name) && (namespaceOf(writer.name) !== '' || namespaceOf(reader.name) === '')
}

/** Whether Avro promotes the writer's kind to the reader's other kind. */
export const promotes = (reader: Schema['kind'], writer: Schema['kind']): boolean => readable[reader]?.includes(writer) ?? false

/** Reader kind to the writer kinds. */
const readable: Readonly<Partial<Record<Schema['kind'], readonly Schema['kind'][]>>> = {
  long: ['int'],
  float: ['int', 'long'],
  double: ['int', 'long', 'float'],
  bytes: ['string'],
  string: ['bytes']
}

/** The branch of the reader's union that is meant for what the writer has: of its full name, else of its short name, else of its kind. */
export function branchFor(writer: Schema, { branches }: UnionSchema): Schema | undefined {
  if (!('name' in writer)) {
    return branches.find(branch => branch.kind === writer.kind) ?? branches.find(branch => promotes(branch.kind, writer.kind))
  }
  const named = branches.filter((branch): branch is NamedSchema => branch.kind === writer.kind)
  return named.find(branch => branch.name === writer.name) ?? named.find(branch => sameName(branch, writer))
}

/** From there on the names of a writer are looked up in a map. */
const scansMax = 4

/** The fields of a writer as a reader's fields ask for them, mostly in the same order. */
export class Sources {
  /** The field behind the one that was taken last. */
  next: number
  /** How many were taken by their own name. */
  met: number
  readonly #fields: readonly Field[]
  #scans = 0
  #indexes: Map<string, number> | undefined

  /** The first `taken` fields were found already. */
  constructor(writer: RecordSchema, taken = 0) {
    this.#fields = writer.fields
    this.next = taken
    this.met = taken
  }

  /** Takes the next one. */
  take(): void {
    this.next++
    this.met++
  }

  /** The field that feeds a reader's field. */
  of({ name, aliases }: Field): Field | undefined | 'ambiguous' {
    const index = this.#indexOf(name)
    if (index !== -1) {
      this.next = index + 1
      this.met++
    }
    let source = this.#fields[index]
    for (const alias of aliases) {
      const other = this.#indexOf(alias)
      if (other === -1) continue
      if (source !== undefined) return 'ambiguous'
      source = this.#fields[other]
    }
    return source
  }

  #indexOf(name: string): number {
    if (this.#fields[this.next]?.name === name) return this.next
    if (this.#scans++ < scansMax) return this.#fields.findIndex(field => field.name === name)
    this.#indexes ??= new Map(this.#fields.map((field, index) => [field.name, index]))
    return this.#indexes.get(name) ?? -1
  }
}
