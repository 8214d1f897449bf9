/**
 * Parsing and judging large schemas: work of tens of milliseconds and more, which must not stop the others who wait for an answer.
 * Here is what it does, with texts alone and no state, so that another thread can do it.
 */
import type { CompatibilityLevel, Schema } from '@assay/avro'
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
  readonly validateDefaults: boolean
  /** Absent: the candidate is parsed and written, and not judged. */
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
}

/** Fails with INVALID_SCHEMA. */
export function workHeavily({ schemaType, candidate, normalize, validateDefaults, judged }: HeavyJob): HeavyAnswer {
  const type = schemaTypeNamed(schemaType)
  const references = parseScope(type, candidate.scope)
  const asWritten = type.parse(candidate.text, { references, validateDefaults })
  const text = normalize ? type.normalizedText(asWritten, references) : type.canonicalText(asWritten, references)
  if (judged === undefined) return { text, compared: undefined }
  const parsed = normalize ? type.parse(text, { references, validateDefaults }) : asWritten
  const earlier = judged.earlier.map(({ version, text: old, scope }) => ({
    version,
    text: old,
    schema: type.parse(old, { references: parseScope(type, scope), validateDefaults: false })
  }))
  return { text, compared: type.compare(judged.level, parsed, earlier, judged.options) }
}

function parseScope(type: SchemaType, texts: readonly string[]): Schema[] {
  const parsed: Schema[] = []
  for (const text of texts) parsed.push(type.parse(text, { references: parsed, validateDefaults: false }))
  return parsed
}
