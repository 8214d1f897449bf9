/**
 * Parsing and judging large schemas: work of tens of milliseconds and more, which must not stop the others who wait for an answer.
 * Here is what it does, with texts alone and no state, so that another thread can do it.
 */
import type { CompatibilityLevel, Schema } from '@assay/avro'
import { recent } from './recent.ts'
import { type Compared, type CompareOptions, type SchemaType, schemaTypeNamed } from './schema-type.ts'

/** A text with everything that it refers to, what is referred to standing before what uses it. */
export interface ScopedText {
  readonly text: string
  readonly scope: readonly string[]
}

export interface HeavyJob {
  readonly schemaType: string
  readonly candidate: ScopedText
  readonly normalize: boolean
  /** Absent: the candidate is parsed and written. Else it is judged, and its text is one that was written before. */
  readonly judged?: {
    readonly level: CompatibilityLevel
    readonly earlier: readonly (ScopedText & { readonly version: number })[]
    readonly options: CompareOptions
  }
}

export interface HeavyAnswer {
  /** Canonical or normal form of the candidate. */
  readonly text: string
  readonly compared: Compared | undefined
  /** Why a new text would be refused: a default that does not fit its type. */
  readonly wrongDefault: string | undefined
}

/** Remembers what it parsed lately: a text is written first and judged after that. The function fails with INVALID_SCHEMA. */
export function heavyWorker(): (job: HeavyJob) => HeavyAnswer {
  const known = recent<Schema>({ entriesMax: 20, charsMax: 4 * 1024 * 1024, keyCharsMax: 4 * 1024 * 1024 })

  const parseScope = (type: SchemaType, texts: readonly string[]): Schema[] => {
    const parsed: Schema[] = []
    for (const text of texts) parsed.push(type.parse(text, { references: parsed }))
    return parsed
  }
  const keyOf = (type: SchemaType, { text, scope }: ScopedText): string => [type.name, text, ...scope].join('\n')
  /** A text that was taken in before, by whomever. */
  const parseKnown = (type: SchemaType, scoped: ScopedText): Schema =>
    known.once(keyOf(type, scoped), () => type.parse(scoped.text, { references: parseScope(type, scoped.scope) }))

  return ({ schemaType, candidate, normalize, judged }) => {
    const type = schemaTypeNamed(schemaType)
    if (judged) {
      const earlier = judged.earlier.map(({ version, text, scope }) => ({
        version,
        text,
        schema: parseKnown(type, { text, scope })
      }))
      return {
        text: candidate.text,
        compared: type.compare(judged.level, parseKnown(type, candidate), earlier, judged.options),
        wrongDefault: undefined
      }
    }
    const references = parseScope(type, candidate.scope)
    let wrongDefault: string | undefined
    const onWrongDefault = (reason: string): void => {
      wrongDefault ??= reason
    }
    const parsed = type.parse(candidate.text, { references, onWrongDefault })
    const text = normalize ? type.normalizedText(parsed, references) : type.canonicalText(parsed, references)
    // The canonical text says the same as the text that was sent, so what was parsed is what it would be parsed to.
    if (!normalize) known.put(keyOf(type, { text, scope: candidate.scope }), parsed)
    return { text, compared: undefined, wrongDefault }
  }
}
