/** Compatibility of a candidate with earlier versions of its subject, under the level in scope. */
import { type CompatibilityLevel, checkLevel, confluentMessages, type Finding, type Schema } from '@assay/avro'
import { AssayError } from '@assay/errors'
import { configInScope } from './config.ts'
import type { RegistryLimits } from './limits.ts'
import { parsedOf } from './references.ts'
import { contentOf, normalizesInScope, type SchemaRequest } from './request.ts'
import { latestOf, type State, type Version, versionAt, versionsOf } from './subjects.ts'

export interface Checked {
  readonly isCompatible: boolean
  readonly level: CompatibilityLevel
  /** In Confluent's words; empty when compatible. */
  readonly messages: readonly string[]
  readonly findings: readonly Finding[]
}

/** Checks against live versions, ascending; which of them count is the level's business. Fails with INVALID_SCHEMA when one cannot be parsed. */
export function checkAgainst(state: State, subject: string, candidate: Schema, live: readonly Version[]): Checked {
  const level = configInScope(state, subject).compatibilityLevel
  // Only what the level looks at is parsed: a subject may hold thousands of versions.
  const compared = level === 'NONE' ? [] : level.endsWith('_TRANSITIVE') ? live : live.slice(-1)
  const earlier = compared.map(({ version, schema }) => ({ version, schema: parsedOf(state, schema), text: schema.text }))
  const findings = checkLevel(level, candidate, earlier)
  const messages = confluentMessages(findings, { level, earlier })
  return { isCompatible: findings.length === 0, level, messages, findings }
}

/** Against one version, or all that a registration would be checked against. Fails with VERSION_NOT_FOUND, INVALID_SCHEMA. */
export function checkCandidate(
  state: State,
  subject: string,
  against: number | 'latest' | 'all',
  request: SchemaRequest,
  { normalize, limits }: { readonly normalize: boolean; readonly limits: RegistryLimits }
): Checked {
  const earlier = earlierVersions(state, subject, against)
  const { parsed } = contentOf(state, request, { normalize: normalize || normalizesInScope(state, subject), limits })
  return checkAgainst(state, subject, parsed, earlier)
}

function earlierVersions(state: State, subject: string, against: number | 'latest' | 'all'): Version[] {
  if (against === 'all') return versionsOf(state, subject, false)
  const version = against === 'latest' ? latestOf(state, subject) : versionAt(state, subject, against)
  if (version && !version.deleted) return [version]
  if (against === 'latest') return []
  throw new AssayError('VERSION_NOT_FOUND', { version: against })
}
