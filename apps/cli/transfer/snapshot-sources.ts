/** Where a snapshot comes from: a registry's REST API, or its topic. */
import { type BrokerAccess, type RegisteredVersion, type RegistryClient, readTopic, refusedWith } from '@assay/client'
import { type Change, decodeRecord } from '@assay/registry'
import { inParallel } from '../in-parallel.ts'
import type { Progress } from '../progress-bar.ts'
import { DEFAULT_MODE, isDefaultConfig, ownConfig, ownMode } from '../scope.ts'
import { allVersions } from './all-versions.ts'
import { type Snapshot, selected, snapshotOf } from './snapshot.ts'

export interface Selection {
  /** Empty for everything. */
  readonly prefix: string
  readonly deleted: boolean
}

/** Registries without contexts do not know the question. */
const NO_CONTEXTS = [404, 405]
/** Its settings are in force wherever a context has none. A registry answers them whether they were set or not. */
const GLOBAL_SCOPE = ':.__GLOBAL:'
const QUESTIONS_AT_ONCE = 16

/** Any registry that speaks Confluent's API. Settings and modes are asked for subject by subject: there is no list of them. */
export async function snapshotOfRegistry(
  registry: RegistryClient,
  { prefix, deleted }: Selection,
  progress: (total: number) => Progress
): Promise<Snapshot> {
  const contexts = prefix === '' ? await contextsOf(registry) : []
  const versions: RegisteredVersion[] = []
  for (const begin of prefix === '' ? [undefined, ...contexts] : [prefix]) {
    versions.push(...(await allVersions(registry, { prefix: begin, deleted: true })))
  }
  const changes: Change[] = versions.map(changeOf)
  const subjects = new Set(versions.map(({ subject }) => subject))
  const wide = prefix === '' ? [undefined, ...contexts, ...(contexts.length > 0 ? [GLOBAL_SCOPE] : [])] : []
  const scopes = [...wide, ...subjects]
  const bar = progress(scopes.length)
  await inParallel(scopes, QUESTIONS_AT_ONCE, async scope => {
    const subject = scope ?? null
    const config = await ownConfig(registry, scope)
    const mode = await ownMode(registry, scope)
    const isSet = scope !== GLOBAL_SCOPE
    if (config && Object.keys(config).length > 0 && (isSet || !isDefaultConfig(config))) {
      changes.push({ type: 'config', subject, config: { ...config } })
    }
    if (mode && (isSet || mode !== DEFAULT_MODE)) changes.push({ type: 'mode', subject, mode })
    bar.step()
  })
  bar.end()
  return selected(snapshotOf(changes), { prefix, deleted })
}

/** `:.sales:` for each context but the default one. */
async function contextsOf(registry: RegistryClient): Promise<string[]> {
  try {
    const names = await registry.contexts()
    return names.filter(name => name !== '.').map(name => `:${name}:`)
  } catch (error) {
    if (refusedWith(error, ...NO_CONTEXTS)) return []
    throw error
  }
}

function changeOf({ subject, version, schemaId, deleted = false, ...text }: RegisteredVersion): Change {
  const { schema, schemaType = 'AVRO', references = [], metadata, ruleSet } = text
  const content = { schemaType, text: schema, references, metadata, ruleSet }
  return { type: 'schema', subject, version, id: schemaId, content, deleted }
}

export interface TopicSource {
  readonly topic: string
  readonly bootstrap: string
  readonly timeoutMs: number
  readonly access?: BrokerAccess | undefined
}

/** The topic in which a registry keeps its truth, whatever registry that is. */
export async function snapshotOfTopic(
  source: TopicSource,
  { prefix, deleted }: Selection,
  onPassedOver: (passedOver: { readonly place: string; readonly reason: string }) => void
): Promise<Snapshot> {
  const changes: Change[] = []
  for await (const { offset, key, value } of readTopic(source)) {
    const change = decodeRecord({ key, value })
    if (change?.type === 'unreadable') onPassedOver({ place: `${source.topic}@${offset}`, reason: change.reason })
    else if (change) changes.push(change)
  }
  return selected(snapshotOf(changes), { prefix, deleted })
}
