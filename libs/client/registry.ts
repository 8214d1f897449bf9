/** A client of a schema registry that speaks Confluent's REST API: all of it but exporters. */
import { parseSchema, type Schema } from '@assay/avro'
import { AssayError, isAssayError } from '@assay/errors'
import { type HttpOptions, httpPeer } from './http.ts'
import { inPages } from './pages.ts'
import type { DeletedFilter, FormatOptions, Page, RegistryClient, SchemaIdOptions, VersionNumber } from './registry-client.ts'
import {
  clusterIdOf,
  compatibilityAnswerOf,
  configBody,
  configOf,
  contextIdOf,
  identifiedSchemaOf,
  levelOf,
  list,
  modeOf,
  numbers,
  type Reference,
  record,
  registrationOf,
  type SchemaText,
  schemaBody,
  schemaTextOf,
  string,
  strings,
  subjectVersionOf,
  tagBody,
  unexpected,
  versionOf
} from './registry-shapes.ts'

export type {
  CompatibilityOptions,
  DeletedFilter,
  FormatOptions,
  Page,
  RegisterOptions,
  RegistryClient,
  SchemaIdOptions,
  SchemasOptions,
  VersionNumber
} from './registry-client.ts'

const SUBJECT_NOT_FOUND = 40401
const SCHEMA_NOT_FOUND = 40403
const SUBJECT_LEVEL_NOT_SET = 40408
const cachedIdsMax = 10_000
const referencesMax = 1_000
/** Versions in one answer of a bulk read. */
const PAGE_SIZE = 1_000

/** Fails with INVALID_ARGUMENT for an address, credentials or certificates that cannot be. */
export function registryClient(options: HttpOptions): RegistryClient {
  const peer = httpPeer(options, 'The registry', 'application/vnd.schemaregistry.v1+json')
  const texts = onceForEach<SchemaText>(async schemaId => schemaTextOf(await peer.ask({ path: ['schemas', 'ids', schemaId] })))
  const parsed = onceForEach<Schema>(async schemaId => {
    const text = await texts(schemaId)
    return parseSchema(avroOf(text), { references: await referencesOf(text), validateDefaults: false })
  })

  /** Every schema that a text refers to, directly or not, those without references of their own first. */
  const referencesOf = async (text: SchemaText, within = ''): Promise<Schema[]> => {
    const found = new Map<string, Schema>()
    const seen = new Set<string>()
    const visit = async (references: readonly Reference[]): Promise<void> => {
      for (const { subject: name, version } of references) {
        // A plain name stands in the context of what refers to it.
        const subject = name.startsWith(':.') ? name : within + name
        const key = `${version}/${subject}`
        if (seen.has(key)) continue
        seen.add(key)
        if (seen.size > referencesMax)
          throw new AssayError('INVALID_SCHEMA', { reason: `it refers to more than ${referencesMax} schemas` })
        const referred = await client.version(subject, version, { deleted: true })
        await visit(referred.references ?? [])
        found.set(key, parseSchema(avroOf(referred), { references: [...found.values()], validateDefaults: false }))
      }
    }
    await visit(text.references ?? [])
    return [...found.values()]
  }
  const versionPath = (subject: string, version: VersionNumber): (string | number)[] => ['subjects', subject, 'versions', version]
  const orUndefined = async <T>(answer: Promise<T>): Promise<T | undefined> => {
    try {
      return await answer
    } catch (error) {
      if (refusedWith(error, SUBJECT_NOT_FOUND, SCHEMA_NOT_FOUND)) return undefined
      throw error
    }
  }

  const client: RegistryClient = {
    subjects: async ({ prefix, ...filter } = {}) =>
      strings(
        await peer.ask({ path: ['subjects'], query: { subjectPrefix: prefix, ...deletedQuery(filter), ...pageQuery(filter) } })
      ),
    versions: async (subject, filter = {}) =>
      numbers(
        await peer.ask({ path: ['subjects', subject, 'versions'], query: { ...deletedQuery(filter), ...pageQuery(filter) } })
      ),
    version: async (subject, version, { deleted, ...format } = {}) =>
      versionOf(await peer.ask({ path: versionPath(subject, version), query: { deleted, ...formatQuery(format) } })),
    parsedVersion: async (subject, version) => {
      const text = await client.version(subject, version)
      const context = /^:\.[^:]*:/.exec(subject)?.[0] ?? ''
      return parseSchema(avroOf(text), { references: await referencesOf(text, context), validateDefaults: false })
    },
    latest: (subject, options) => client.version(subject, 'latest', options),
    latestWith: async (subject, properties, { deleted, format } = {}) => {
      const query = { key: Object.keys(properties), value: Object.values(properties), deleted, format }
      return versionOf(await peer.ask({ path: ['subjects', subject, 'metadata'], query }))
    },
    versionText: (subject, version, { deleted, format } = {}) =>
      peer.askText({ path: [...versionPath(subject, version), 'schema'], query: { deleted, format } }),
    referencedBy: async (subject, version, { deleted, ...page } = {}) =>
      numbers(
        await peer.ask({ path: [...versionPath(subject, version), 'referencedby'], query: { deleted, ...pageQuery(page) } })
      ),

    register: async (subject, text, options) => (await client.registerVersion(subject, text, options)).schemaId,
    registerVersion: async (subject, text, { normalize, force, schemaId, version } = {}) => {
      const body = {
        ...schemaBody(text),
        ...(schemaId !== undefined && { id: schemaId }),
        ...(version !== undefined && { version })
      }
      const path = ['subjects', subject, 'versions']
      return registrationOf(await peer.ask({ method: 'POST', path, query: { normalize, force }, body }))
    },
    lookUp: (subject, text, { normalize, deleted, format } = {}) => {
      const query = { normalize, deleted, format }
      const answer = peer.ask({ method: 'POST', path: ['subjects', subject], query, body: schemaBody(text) })
      return orUndefined(answer.then(versionOf))
    },
    editTags: async (subject, version, change) => {
      const path = [...versionPath(subject, version), 'tags']
      return registrationOf(await peer.ask({ method: 'POST', path, body: tagBody(change) }))
    },
    deleteSubject: async (subject, { permanent } = {}) =>
      numbers(await peer.ask({ method: 'DELETE', path: ['subjects', subject], query: { permanent } })),
    deleteVersion: async (subject, version, { permanent } = {}) => {
      const answer = await peer.ask({ method: 'DELETE', path: versionPath(subject, version), query: { permanent } })
      return typeof answer === 'number' ? answer : unexpected('a version')
    },

    schemas: ({ prefix, pageSize = PAGE_SIZE, offset: start = 0, limit: most, ...filter } = {}) =>
      inPages({ start, most, pageSize }, async (offset, limit) => {
        const query = { subjectPrefix: prefix, ...filter, offset, limit }
        return list(await peer.ask({ path: ['schemas'], query }), versionOf)
      }),
    schemaTypes: async () => strings(await peer.ask({ path: ['schemas', 'types'] })),
    schemaById: texts,
    parsedById: parsed,
    identifiedSchema: async (schemaId, { subject, fetchMaxId, ...format } = {}) => {
      const query = { subject, fetchMaxId, ...formatQuery(format) }
      return identifiedSchemaOf(await peer.ask({ path: ['schemas', 'ids', schemaId], query }))
    },
    textById: (schemaId, { subject, format } = {}) =>
      peer.askText({ path: ['schemas', 'ids', schemaId, 'schema'], query: { subject, format } }),
    subjectsById: async (schemaId, { subject, deleted, ...page } = {}) => {
      const query = { subject, deleted, ...pageQuery(page) }
      return strings(await peer.ask({ path: ['schemas', 'ids', schemaId, 'subjects'], query }))
    },
    versionsById: async (schemaId, { subject, deleted, ...page } = {}) => {
      const query = { subject, deleted, ...pageQuery(page) }
      return list(await peer.ask({ path: ['schemas', 'ids', schemaId, 'versions'], query }), subjectVersionOf)
    },
    schemaByGuid: async (guid, { format } = {}) =>
      identifiedSchemaOf(await peer.ask({ path: ['schemas', 'guids', guid], query: { format } })),
    idsByGuid: async guid => list(await peer.ask({ path: ['schemas', 'guids', guid, 'ids'] }), contextIdOf),

    compatibility: async (subject, text, { version = 'all', verbose = false, normalize } = {}) => {
      const all = ['compatibility', 'subjects', subject, 'versions']
      const path = version === 'all' ? all : [...all, version]
      return compatibilityAnswerOf(
        await peer.ask({ method: 'POST', path, query: { verbose, normalize }, body: schemaBody(text) })
      )
    },
    compatibilityLevel: async subject => {
      try {
        return levelOf(await peer.ask({ path: scoped('config', subject) }))
      } catch (error) {
        if (subject === undefined || !refusedWith(error, SUBJECT_NOT_FOUND, SUBJECT_LEVEL_NOT_SET)) throw error
        return levelOf(await peer.ask({ path: scoped('config', subject), query: { defaultToGlobal: true } }))
      }
    },
    setCompatibilityLevel: async (level, subject) => void (await client.setConfig({ compatibilityLevel: level }, subject)),
    config: async (subject, { defaultToGlobal } = {}) =>
      configOf(await peer.ask({ path: scoped('config', subject), query: { defaultToGlobal } })),
    setConfig: async (config, subject) =>
      configOf(await peer.ask({ method: 'PUT', path: scoped('config', subject), body: configBody(config) })),
    deleteConfig: async subject => configOf(await peer.ask({ method: 'DELETE', path: scoped('config', subject) })),
    mode: async (subject, { defaultToGlobal } = {}) =>
      modeOf(await peer.ask({ path: scoped('mode', subject), query: { defaultToGlobal } })),
    setMode: async (mode, subject, { force } = {}) =>
      modeOf(await peer.ask({ method: 'PUT', path: scoped('mode', subject), query: { force }, body: { mode } })),
    deleteMode: async (subject, { recursive } = {}) =>
      modeOf(await peer.ask({ method: 'DELETE', path: scoped('mode', subject), query: { recursive } })),

    contexts: async ({ prefix, ...page } = {}) =>
      strings(await peer.ask({ path: ['contexts'], query: { contextPrefix: prefix, ...pageQuery(page) } })),
    deleteContext: async context => void (await peer.ask({ method: 'DELETE', path: ['contexts', context] })),
    serverVersion: async () => {
      const answer = await peer.ask({ path: ['v1', 'metadata', 'version'] })
      const { commitId } = record(answer)
      return { version: string(answer, 'version'), ...(typeof commitId === 'string' && { commitId }) }
    },
    clusterId: async () => clusterIdOf(await peer.ask({ path: ['v1', 'metadata', 'id'] }))
  }
  return client
}

const scoped = (what: 'config' | 'mode', subject: string | undefined): string[] =>
  subject === undefined ? [what] : [what, subject]

const deletedQuery = ({ deleted, deletedOnly }: DeletedFilter) => ({ deleted, deletedOnly })
const pageQuery = ({ offset, limit }: Page) => ({ offset, limit })
const formatQuery = ({ format, referenceFormat, findTags }: FormatOptions & Pick<SchemaIdOptions, 'findTags'>) => ({
  format,
  referenceFormat,
  findTags
})

function avroOf({ schema, schemaType = 'AVRO' }: SchemaText): string {
  if (schemaType !== 'AVRO') throw new AssayError('UNSUPPORTED_SCHEMA_TYPE', { schemaType, supported: 'AVRO' })
  return schema
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
