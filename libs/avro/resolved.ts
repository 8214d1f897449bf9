/** Confluent's `format=resolved`: a schema's text that needs no references. */
import { canonicalText } from './canonical.ts'
import type { Schema } from './schema.ts'

/**
 * Canonical text in which every named type is defined at its first use, those of references too, and named from then on.
 * It can be parsed alone, and a schema sent in this form is the same schema as one that was sent with references.
 */
export const resolvedText = (schema: Schema): string => canonicalText(schema)
