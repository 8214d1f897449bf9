/**
 * Can data written with one schema be read with another? Verdict, order, paths and messages are those of SchemaCompatibility
 * in Apache Avro Java 1.12.1; each finding also says where in the data it is, in words what is wrong, and how to mend it.
 * Every pair of types is compared once, the work and the number of findings are bounded.
 */
import { fragmentPrinter } from './canonical.ts'
import { comparisonSteps, type Found, findClashes, type Steps } from './comparison.ts'
import { type ChangingSide, compatibilityRules, type IncompatibilityType } from './compatibility-rules.ts'
import { MendTrials, type Rewrite } from './mends.ts'
import { pathOf } from './problem.ts'
import type { Schema } from './schema.ts'
import { surelyReads } from './surely-reads.ts'

export { incompatibilitiesMax } from './comparison.ts'
export { sameName } from './matching.ts'

export interface Incompatibility {
  readonly type: IncompatibilityType
  /** Java's JSON pointer, `/fields/1/type`. As in Java, it begins anew inside the branch of a union that was compared before. */
  readonly path: string
  /** JSON pointers to the types that clash, also inside the branches of unions; to the reader's field where the writer has none. `/` is the root. */
  readonly readerPath: string
  readonly writerPath: string
  /** Where in the reader's data: `value.items[].price`; `{}` stands for the values of a map. */
  readonly place: string
  /** Java's message. */
  readonly message: string
  /** What is wrong, as a part of a sentence. */
  readonly reason: string
  /** Canonical text of the reader's type here, shortened. */
  readonly reader: string
  readonly writer: string
  /** How to mend it. A default or an alias is proposed only where a trial has shown that it helps. */
  readonly mend: string
  /** The first such default or alias, for programs. */
  readonly rewrite?: Rewrite
}

export interface CompatibilityOptions {
  /** Which schema the mends may change. Default: the reader. */
  readonly changing?: ChangingSide
  /** How places begin. Default `value`. */
  readonly root?: string
  /** For how many findings mends are tried. Default 20. */
  readonly trialsMax?: number
  /** The work that may be done, also for several comparisons together. Default: enough for one. */
  readonly steps?: Steps
}

/** Findings of one candidate for which mends are tried. */
export const trialsMax = 20

/**
 * Everything that keeps `reader` from reading data of `writer`; empty when it can.
 * Throws INVALID_SCHEMA when the two cannot be compared within bounds.
 */
export function compatibility(reader: Schema, writer: Schema, options: CompatibilityOptions = {}): Incompatibility[] {
  const steps = options.steps ?? comparisonSteps()
  if (surelyReads(reader, writer, steps)) return []
  const changing = options.changing ?? 'reader'
  const root = options.root ?? 'value'
  const fragment = fragmentPrinter()
  const found = compare(reader, writer, steps)
  const trials = changing === 'reader' ? new MendTrials(reader, writer, found, compare) : undefined
  return found.map((one, index) => {
    const { type, path, readerPath, writerPath, place, message, clash } = one
    const rule = compatibilityRules[type]
    const tried = index < (options.trialsMax ?? trialsMax) ? trials?.mend(one) : undefined
    return {
      type,
      path,
      readerPath: readerPath || '/',
      writerPath: writerPath || '/',
      place: root + place,
      message,
      reason: rule.reason(clash),
      reader: fragment(clash.reader),
      writer: fragment(clash.writer),
      ...(tried ?? { mend: rule.mend(clash, changing) })
    }
  })
}

interface Told extends Found {
  readonly path: string
}

function compare(reader: Schema, writer: Schema, steps: Steps): readonly Told[] {
  return findClashes(reader, writer, steps).map(found => ({ ...found, path: `/${pathOf(found.trail).join('/')}` }))
}

/** Whether `reader` reads everything that `writer` writes: the same verdict without findings. Throws INVALID_SCHEMA as compatibility does. */
export function canRead(reader: Schema, writer: Schema, { steps = comparisonSteps() }: { readonly steps?: Steps } = {}): boolean {
  return surelyReads(reader, writer, steps) || findClashes(reader, writer, steps).length === 0
}
