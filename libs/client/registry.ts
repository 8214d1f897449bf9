/** A client of a schema registry that speaks Confluent's REST API. */
import { parseSchema, type Schema } from '@assay/avro'
import { AssayError, isAssayError } from '@assay/errors'
import { type HttpOptions, httpPeer } from './http.ts'

export interface Reference {
  /** The name by which the schema text uses it. */
  readonly name: string
  readonly subject: string
  readonly version: number
}

/** What is registered: a schema text and what it refers to. */
export interface SchemaText {
  readonly schema: string
  readonly references?: readonly Reference[]
}

export interface RegisteredVersion extends SchemaText {
  readonly subject: string
  readonly version: number
  readonly schemaId: number
}

export type CompatibilityLevel =
  | 'NONE'
  | 'BACKWARD'
  | 'BACKWARD_TRANSITIVE'
  | 'FORWARD'
  | 'FORWARD_TRANSITIVE'
  | 'FULL'
  | 'FULL_TRANSITIVE'

/** One reason why a schema is incompatible, and how to mend it. */
export interface CompatibilityFinding {
  readonly type: string
  /** The earlier version that the candidate was compared with. */
  readonly version: number
  /** BACKWARD: the candidate cannot read that version; FORWARD: that version cannot read the candidate. */
  readonly direction: string
  /** JSON pointer into the schema. */
  readonly path: string
  /** Where in the data. */
  readonly place: string
  readonly says: string
  /** What is wrong, as a part of a sentence. */
  readonly reason: string
  /** Canonical text of the two types that meet, shortened. */
  readonly reader: string
  readonly writer: string
  readonly mend: string
}

export interface CompatibilityAnswer {
  readonly isCompatible: boolean
  /** Why not, in Confluent's words; empty unless asked for with `verbose`. */
  readonly messages: readonly string[]
  /** The same as facts; only Assay's registry answers them. */
  readonly findings: readonly CompatibilityFinding[]
}

/**
 * Every method fails with UNREACHABLE when nothing answers in time, and with PEER_REFUSED when the registry says no: its `status` fact
 * is the registry's error code (40401 for an unknown subject), its `reason` the registry's text.
 */
export interface RegistryClient {
  subjects(options?: { readonly prefix?: string; readonly deleted?: boolean }): Promise<string[]>
  versions(subject: string): Promise<number[]>
  version(subject: string, version: number | 'latest'): Promise<RegisteredVersion>
  latest(subject: string): Promise<RegisteredVersion>
  /** Returns the schema ID; that of before when the subject has this schema already. */
  register(subject: string, text: SchemaText): Promise<number>
  /** The version of the subject that has this schema; undefined when none has, or when there is no such subject. */
  lookUp(subject: string, text: SchemaText): Promise<RegisteredVersion | undefined>
  /** Asked once for each ID: an ID never changes its meaning. */
  schemaById(schemaId: number): Promise<SchemaText>
  /** The same, parsed, with everything it refers to. */
  parsedById(schemaId: number): Promise<Schema>
  compatibilityLevel(subject?: string): Promise<CompatibilityLevel>
  setCompatibilityLevel(level: CompatibilityLevel, subject?: string): Promise<void>
  /** Whether the schema could be registered, judged against one version or against all that the level asks for. */
  compatibility(
    subject: string,
    text: SchemaText,
    options?: { readonly version?: number | 'latest' | 'all'; readonly verbose?: boolean }
  ): Promise<CompatibilityAnswer>
  /** Soft unless `permanent`; returns the versions that are gone. */
  deleteSubject(subject: string, options?: { readonly permanent?: boolean }): Promise<number[]>
  deleteVersion(subject: string, version: number | 'latest', options?: { readonly permanent?: boolean }): Promise<number>
}

const SUBJECT_NOT_FOUND = 40401
const SCHEMA_NOT_FOUND = 40403
const SUBJECT_LEVEL_NOT_SET = 40408
const cachedIdsMax = 10_000
const referencesMax = 1_000

export function registryClient(options: HttpOptions): RegistryClient {
  const peer = httpPeer(options, 'The registry', 'application/vnd.schemaregistry.v1+json')
  const texts = onceForEach<SchemaText>(async schemaId => schemaTextOf(await peer.ask({ path: ['schemas', 'ids', schemaId] })))
  const parsed = onceForEach<Schema>(async schemaId => {
    const text = await texts(schemaId)
    return parseSchema(text.schema, { references: await referencesOf(text), validateDefaults: false })
  })

  /** Every schema that a text refers to, directly or not, those without references of their own first. */
  const referencesOf = async (text: SchemaText): Promise<Schema[]> => {
    const found = new Map<string, Schema>()
    const seen = new Set<string>()
    const visit = async (references: readonly Reference[]): Promise<void> => {
      for (const { subject, version } of references) {
        const key = `${version}/${subject}`
        if (seen.has(key)) continue
        seen.add(key)
        if (seen.size > referencesMax)
          throw new AssayError('INVALID_SCHEMA', { reason: `it refers to more than ${referencesMax} schemas` })
        const referred = await client.version(subject, version)
        await visit(referred.references ?? [])
        found.set(key, parseSchema(referred.schema, { references: [...found.values()], validateDefaults: false }))
      }
    }
    await visit(text.references ?? [])
    return [...found.values()]
  }

  const client: RegistryClient = {
    subjects: async ({ prefix, deleted } = {}) =>
      strings(await peer.ask({ path: ['subjects'], query: { subjectPrefix: prefix, deleted } })),
    versions: async subject => numbers(await peer.ask({ path: ['subjects', subject, 'versions'] })),
    version: async (subject, version) => versionOf(await peer.ask({ path: ['subjects', subject, 'versions', version] })),
    latest: subject => client.version(subject, 'latest'),
    register: async (subject, text) =>
      number(await peer.ask({ method: 'POST', path: ['subjects', subject, 'versions'], body: bodyOf(text) }), 'id'),
    lookUp: async (subject, text) => {
      try {
        return versionOf(await peer.ask({ method: 'POST', path: ['subjects', subject], body: bodyOf(text) }))
      } catch (error) {
        if (refusedWith(error, SUBJECT_NOT_FOUND, SCHEMA_NOT_FOUND)) return undefined
        throw error
      }
    },
    schemaById: texts,
    parsedById: parsed,
    compatibilityLevel: async subject => {
      try {
        return levelOf(await peer.ask({ path: subject === undefined ? ['config'] : ['config', subject] }))
      } catch (error) {
        if (subject === undefined || !refusedWith(error, SUBJECT_NOT_FOUND, SUBJECT_LEVEL_NOT_SET)) throw error
        return client.compatibilityLevel()
      }
    },
    setCompatibilityLevel: async (level, subject) => {
      const path = subject === undefined ? ['config'] : ['config', subject]
      await peer.ask({ method: 'PUT', path, body: { compatibility: level } })
    },
    compatibility: async (subject, text, { version = 'all', verbose = false } = {}) => {
      const all = ['compatibility', 'subjects', subject, 'versions']
      const path = version === 'all' ? all : [...all, version]
      const answer = record(await peer.ask({ method: 'POST', path, query: { verbose }, body: bodyOf(text) }))
      const { is_compatible: isCompatible, messages = [], findings = [] } = answer
      if (typeof isCompatible !== 'boolean') return unexpected('a verdict')
      return { isCompatible, messages: strings(messages), findings: Array.isArray(findings) ? findings.map(findingOf) : [] }
    },
    deleteSubject: async (subject, { permanent } = {}) =>
      numbers(await peer.ask({ method: 'DELETE', path: ['subjects', subject], query: { permanent } })),
    deleteVersion: async (subject, version, { permanent } = {}) => {
      const answer = await peer.ask({ method: 'DELETE', path: ['subjects', subject, 'versions', version], query: { permanent } })
      return typeof answer === 'number' ? answer : unexpected('a version')
    }
  }
  return client
}

/** Remembers answers, the oldest forgotten first; a failure is not remembered. */
function onceForEach<T>(ask: (schemaId: number) => Promise<T>): (schemaId: number) => Promise<T> {
  const known = new Map<number, Promise<T>>()
  return async schemaId => {
    let answer = known.get(schemaId)
    if (!answer) {
      answer = ask(schemaId)
      known.set(schemaId, answer)
      if (known.size > cachedIdsMax) known.delete(known.keys().next().value!)
    }
    try {
      return await answer
    } catch (error) {
      if (known.get(schemaId) === answer) known.delete(schemaId)
      throw error
    }
  }
}

/** True when the registry said no with one of these error codes. */
export function refusedWith(error: unknown, ...codes: readonly number[]): boolean {
  return isAssayError(error, 'PEER_REFUSED') && codes.includes(Number(error.facts.status))
}

const bodyOf = ({ schema, references = [] }: SchemaText): object =>
  references.length === 0 ? { schema } : { schema, references }

function unexpected(wanted: string): never {
  throw new AssayError('PEER_REFUSED', { what: 'The registry', status: 200, reason: `the answer is not ${wanted}` })
}

function record(answer: unknown): Readonly<Record<string, unknown>> {
  return typeof answer === 'object' && answer !== null && !Array.isArray(answer)
    ? (answer as Record<string, unknown>)
    : unexpected('an object')
}

function strings(answer: unknown): string[] {
  return Array.isArray(answer) && answer.every(item => typeof item === 'string') ? answer : unexpected('a list of texts')
}

function numbers(answer: unknown): number[] {
  return Array.isArray(answer) && answer.every(item => typeof item === 'number') ? answer : unexpected('a list of numbers')
}

function number(answer: unknown, name: string): number {
  const value = record(answer)[name]
  return typeof value === 'number' ? value : unexpected(`an object with a number ${name}`)
}

function string(answer: unknown, name: string): string {
  const value = record(answer)[name]
  return typeof value === 'string' ? value : unexpected(`an object with a text ${name}`)
}

function schemaTextOf(answer: unknown): SchemaText {
  const { schemaType, references } = record(answer)
  if (schemaType !== undefined && schemaType !== 'AVRO') {
    throw new AssayError('UNSUPPORTED_SCHEMA_TYPE', { schemaType: String(schemaType) })
  }
  const schema = string(answer, 'schema')
  return Array.isArray(references) && references.length > 0 ? { schema, references: references.map(referenceOf) } : { schema }
}

const referenceOf = (answer: unknown): Reference => ({
  name: string(answer, 'name'),
  subject: string(answer, 'subject'),
  version: number(answer, 'version')
})

const findingOf = (answer: unknown): CompatibilityFinding => ({
  type: string(answer, 'type'),
  version: number(answer, 'version'),
  direction: string(answer, 'direction'),
  path: string(answer, 'path'),
  place: string(answer, 'place'),
  says: string(answer, 'says'),
  reason: string(answer, 'reason'),
  reader: string(answer, 'reader'),
  writer: string(answer, 'writer'),
  mend: string(answer, 'mend')
})

const versionOf = (answer: unknown): RegisteredVersion => ({
  ...schemaTextOf(answer),
  subject: string(answer, 'subject'),
  version: number(answer, 'version'),
  schemaId: number(answer, 'id')
})

/** GET says compatibilityLevel; some registries say compatibility, as PUT does. */
function levelOf(answer: unknown): CompatibilityLevel {
  const { compatibilityLevel, compatibility } = record(answer)
  const level = compatibilityLevel ?? compatibility
  return typeof level === 'string' ? (level.toUpperCase() as CompatibilityLevel) : unexpected('a compatibility level')
}
