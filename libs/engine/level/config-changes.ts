/** What both ways to alter settings share: whose settings they are, and that nothing is named twice. */
import { AssayError } from '@assay/errors'
import { checkedName, isReadOnly, readBrokerConfig } from './broker-configs.ts'
import { ALL_BROKERS } from './broker-defaults.ts'
import { canonicalName, readTopicConfig } from './config-names.ts'
import type { Level } from './context.ts'
import { RESOURCE } from './describe-configs.ts'
import { type Refusal, refusalOf } from './refusal.ts'
import { configOf, topicConfig, topicNameOfBroker } from './topic-configs.ts'

export type Configs = ReadonlyMap<string, string>

/** Whose settings are altered, and how names and values of theirs are read. */
export interface ConfigOwner {
  /** The setting that a name stands for. Fails with INVALID_CONFIG, INVALID_REQUEST. */
  nameOf(given: string): string
  /** Fails with INVALID_CONFIG. */
  read(given: string, value: string): readonly [name: string, value: string]
  isList(name: string): boolean
  /** The value in force when these are what was set. */
  inForce(configs: Configs, name: string): string
  configure(change: (configs: Configs) => Configs, options: { readonly validateOnly: boolean }): Promise<void>
}

export interface AskedResource {
  readonly resourceType: number
  readonly resourceName: string
  readonly configs: readonly { readonly name: string }[]
}

/** Fails with INVALID_REQUEST where there is nothing that could be altered. */
export function ownerOf(level: Level, { resourceType, resourceName }: AskedResource): ConfigOwner {
  if (resourceType === RESOURCE.topic) return topicOwner(level, resourceName)
  if (resourceType === RESOURCE.broker) return brokerOwner(level, resourceName)
  throw new AssayError('INVALID_REQUEST', { reason: `Resources of type ${resourceType} have no settings here.` })
}

function topicOwner({ topics, defaults }: Level, topic: string): ConfigOwner {
  return {
    nameOf: canonicalName,
    read: readTopicConfig,
    isList: name => topicConfig(name)!.kind === 'list',
    inForce: (configs, name) => configOf(configs, name, defaults),
    async configure(change, options) {
      const outcome = await topics.configure(topic, change, options)
      if (outcome instanceof AssayError) throw outcome
    }
  }
}

function brokerOwner({ defaults, nodeId }: Level, scope: string): ConfigOwner {
  if (scope !== ALL_BROKERS && scope !== String(nodeId)) {
    throw new AssayError('INVALID_REQUEST', { reason: `This is broker ${nodeId}, not ${scope}.` })
  }
  return {
    nameOf(name) {
      if (!isReadOnly(name)) return checkedName(name)
      throw new AssayError('INVALID_REQUEST', { reason: `${name} is set where the server is started, and not while it runs.` })
    },
    read: readBrokerConfig,
    isList: name => topicConfig(topicNameOfBroker.get(name)!)!.kind === 'list',
    inForce: (configs, name) => configs.get(name) ?? configOf(new Map(), topicNameOfBroker.get(name)!, defaults),
    configure: (change, options) => defaults.configure(scope, change, options)
  }
}

interface Answer {
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly resourceType: number
  readonly resourceName: string
}

/** One answer for each resource, in the order of the request; what one is refused for does not touch the others. */
export async function alterEach<R extends AskedResource>(
  resources: readonly R[],
  alter: (resource: R) => Promise<void>
): Promise<Answer[]> {
  const idOf = ({ resourceType, resourceName }: AskedResource): string => `${resourceType}/${resourceName}`
  const seen = new Map<string, number>()
  for (const resource of resources) seen.set(idOf(resource), (seen.get(idOf(resource)) ?? 0) + 1)
  const answers: Answer[] = []
  for (const resource of resources) {
    const { resourceType, resourceName } = resource
    let refusal: Refusal | undefined
    try {
      if (seen.get(idOf(resource))! > 1) throw twice(`Resource '${resourceName}'`)
      await alter(resource)
    } catch (error) {
      refusal = refusalOf(error)
    }
    answers.push({ ...(refusal ?? { errorCode: 0, errorMessage: null }), resourceType, resourceName })
  }
  return answers
}

/** Fails with INVALID_REQUEST when a setting is named twice, be it by two of its names. */
export function checkNamedOnce(owner: ConfigOwner, { configs }: AskedResource): void {
  const names = configs.map(({ name }) => owner.nameOf(name))
  const again = names.find((name, at) => names.indexOf(name) !== at)
  if (again !== undefined) throw twice(`Setting '${again}'`)
}

/** Fails with INVALID_REQUEST: a setting without a value is asked for by another operation. */
export function givenValue(name: string, value: string | null): string {
  if (value !== null) return value
  throw new AssayError('INVALID_REQUEST', { reason: `Setting '${name}' has no value.` })
}

const twice = (what: string): AssayError => new AssayError('INVALID_REQUEST', { reason: `${what} is named twice.` })
