/** Compatibility of a candidate with earlier versions of its subject, under the settings in scope. */
import type { CompatibilityLevel, Finding, FindingWarning } from '@assay/avro'
import { AssayError } from '@assay/errors'
import { type Config, configInScope } from './config.ts'
import type { Metadata } from './content.ts'
import { HeavyWork } from './off-loop.ts'
import { parsedOf, referredSchemas } from './references.ts'
import { contentOf, type Means, normalizesInScope, type ParsedContent, type SchemaRequest, withRequestedTags } from './request.ts'
import { type Compared, type SchemaType, schemaTypeNamed } from './schema-type.ts'
import { latestOf, type State, type Version, versionAt, versionsOf } from './subjects.ts'

export interface Checked {
  readonly isCompatible: boolean
  readonly level: CompatibilityLevel
  /** In Confluent's words; empty when compatible. */
  readonly messages: readonly string[]
  readonly findings: readonly Finding[]
  /** What is let through although data change their meaning. */
  readonly warnings: readonly FindingWarning[]
}

export interface JudgingMeans extends Means {
  /** The number that the candidate will have. */
  readonly next: number
  /** Whether what is let through with a doubt is wanted, too. */
  readonly warnings: boolean
}

/**
 * Checks against live versions, ascending; which of them count is the settings' business.
 * Fails with INVALID_SCHEMA when one cannot be parsed; throws HeavyWork when there is much to read that was not judged lately.
 */
export function checkAgainst(
  state: State,
  subject: string,
  candidate: ParsedContent,
  live: readonly Version[],
  means: JudgingMeans
): Checked {
  const config = configInScope(state, subject)
  const { compatibilityLevel: level, compatibilityPolicy, validateFields = false } = config
  const type = schemaTypeNamed(candidate.content.schemaType)
  const reserved = validateFields ? reservedFieldMessages(type, candidate, live.at(-1)) : []
  const grouped = inGroup(config, candidate, live)
  // Only what the level looks at is parsed: a subject may hold thousands of versions.
  const compared = level === 'NONE' ? [] : level.endsWith('_TRANSITIVE') ? grouped : grouped.slice(-1)
  const wants = { ...means, warnings: means.warnings || compatibilityPolicy === 'LOGICAL' }
  const { findings, warnings } = compare(state, subject, candidate, { level, compared }, wants)
  const earlier = compared.map(({ version, schema }) => ({ version, text: schema.text }))
  const logical = compatibilityPolicy === 'LOGICAL' ? warnings.filter(isLogical).map(logicalMessage) : []
  const messages = [...reserved, ...type.messages(findings, { level, earlier, validateFields })]
  if (messages.length + logical.length > 0 && findings.length === 0) {
    messages.push(...logical, `{validateFields: '${validateFields}', compatibility: '${level}'}`)
  } else messages.splice(-1, 0, ...logical)
  return { isCompatible: messages.length === 0, level, messages, findings, warnings }
}

/** Under the policy LOGICAL a change of meaning is as bad as a change of type. */
const isLogical = ({ type, version }: FindingWarning): boolean =>
  version !== undefined && (type === 'LOGICAL_TYPE_CHANGED' || type === 'DECIMAL_CHANGED')
const logicalMessage = ({ type, path, reason }: FindingWarning): string =>
  `{errorType:'${type}', description:'The logical type at path '${path}' has changed', additionalInfo:'${reason}'}`

interface Comparison {
  readonly level: CompatibilityLevel
  readonly compared: readonly Version[]
}

function compare(
  state: State,
  subject: string,
  { content, parsed }: ParsedContent,
  { level, compared }: Comparison,
  { verdicts, limits, next, warnings }: JudgingMeans
): Compared {
  const type = schemaTypeNamed(content.schemaType)
  const scope = referredSchemas(state, subject, content.references)
  const versions = compared.map(({ version, schema }) => `${version}=${schema.id}${schema.context.name}`)
  const options = { version: next, warnings }
  const key = `${level} ${next}${warnings ? 'w' : ''} ${versions} ${scope.map(({ id, context }) => `${id}${context.name}`)} ${content.text}`
  const known = verdicts.get(key)
  if (known) return known
  const heavy = (): HeavyWork => {
    const earlier = compared.map(({ subject: own, version, schema }) => ({
      version,
      text: schema.text,
      scope: referredSchemas(state, own, schema.references).map(({ text }) => text)
    }))
    const candidate = { text: content.text, scope: scope.map(({ text }) => text) }
    const job = {
      schemaType: type.name,
      candidate,
      normalize: false,
      judged: { level, earlier, options }
    }
    return new HeavyWork(job, answer => answer.compared && verdicts.put(key, answer.compared))
  }
  const unread = compared.reduce((chars, { schema }) => chars + (schema.parsed ? 0 : schema.text.length), 0)
  const all = compared.reduce((chars, { schema }) => chars + schema.text.length, content.text.length)
  if (content.text.length > limits.heavyTextChars || unread > limits.heavyUnreadChars || all > limits.heavyComparedChars) {
    throw heavy()
  }
  const earlier = compared.map(({ version, schema }) => ({ version, schema: parsedOf(state, schema), text: schema.text }))
  const found = type.compare(level, parsed(), earlier, { ...options, stepsMax: limits.heavySteps })
  // Small texts, too, may be entangled.
  if (found === undefined) throw heavy()
  verdicts.put(key, found)
  return found
}

/** With a compatibility group only versions count that have the same value of that metadata property, or like the candidate none. */
function inGroup(
  { compatibilityGroup: group }: Config,
  { content }: Pick<ParsedContent, 'content'>,
  live: readonly Version[]
): readonly Version[] {
  if (group === undefined) return live
  const groupOf = (metadata: Metadata | undefined): string | undefined => metadata?.properties?.[group]
  const own = groupOf(content.metadata)
  return live.filter(({ schema }) => groupOf(schema.metadata) === own)
}

/** The metadata property that names top-level fields which are kept free, with commas between. */
const RESERVED_PROPERTY = 'confluent:reserved'

function reservedFields(metadata: Metadata | undefined): string[] {
  const names = metadata?.properties?.[RESERVED_PROPERTY]?.split(',') ?? []
  return [...new Set(names.map(name => name.trim()).filter(name => name !== ''))]
}

/** A reserved name stays reserved, and no field takes it; in Confluent's words. */
function reservedFieldMessages(type: SchemaType, { parsed, content }: ParsedContent, previous: Version | undefined): string[] {
  const reserved = reservedFields(content.metadata)
  const fields = reserved.length > 0 ? type.topLevelFields(parsed()) : []
  const removed = reservedFields(previous?.schema.metadata).filter(name => !reserved.includes(name))
  const taken = reserved.filter(name => fields.includes(name))
  return [
    ...removed.map(
      name => `The new schema has reserved field ${name} removed from its metadata which is present in the old schema's metadata.`
    ),
    ...taken.map(name => `The new schema has field that conflicts with the reserved field ${name}.`)
  ]
}

/** Against one version, or all that a registration would be checked against. Fails with VERSION_NOT_FOUND, INVALID_SCHEMA. */
export function checkCandidate(
  state: State,
  subject: string,
  against: number | 'latest' | 'all',
  request: SchemaRequest,
  { normalize, ...means }: Omit<JudgingMeans, 'next'> & { readonly normalize: boolean }
): Checked {
  const earlier = earlierVersions(state, subject, against)
  const tagged = withRequestedTags(state, request, latestOf(state, subject))
  const candidate = contentOf(state, subject, tagged, { ...means, normalize: normalize || normalizesInScope(state, subject) })
  const next = (versionsOf(state, subject, true).at(-1)?.version ?? 0) + 1
  return checkAgainst(state, subject, candidate, earlier, { ...means, next })
}

function earlierVersions(state: State, subject: string, against: number | 'latest' | 'all'): Version[] {
  if (against === 'all') return versionsOf(state, subject, false)
  const version = against === 'latest' ? latestOf(state, subject) : versionAt(state, subject, against)
  if (version && !version.deleted) return [version]
  if (against === 'latest') return []
  throw new AssayError('VERSION_NOT_FOUND', { version: against })
}
