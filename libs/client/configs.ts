/** Settings that a broker keeps of topics, groups and brokers: described and changed alike, whatever they are of. */
import { type Admin, type ConfigResourceTypes, IncrementalAlterConfigOperationTypes } from '@platformatic/kafka'

export interface Config {
  readonly name: string
  readonly value: string | null
  /** Who says so: the topic or group itself, the broker or all brokers while they run, the start of the broker, or nobody. */
  readonly from: 'topic' | 'group' | 'broker' | 'all brokers' | 'start' | 'default'
  /** What the setting is for, in the broker's words. */
  readonly says: string
}

/** A change of one setting; `add` and `remove` are for elements of lists. */
export type ConfigEdit =
  | { readonly name: string; readonly operation: 'set' | 'add' | 'remove'; readonly value: string }
  | { readonly name: string; readonly operation: 'unset' }

export interface ConfigResource {
  readonly type: (typeof ConfigResourceTypes)[keyof typeof ConfigResourceTypes]
  readonly name: string
}

/** Kafka's `ConfigSource`. */
const SOURCES: Readonly<Record<number, Config['from']>> = { 1: 'topic', 2: 'broker', 3: 'all brokers', 4: 'start', 8: 'group' }
const OPERATIONS = {
  set: IncrementalAlterConfigOperationTypes.SET,
  add: IncrementalAlterConfigOperationTypes.APPEND,
  remove: IncrementalAlterConfigOperationTypes.SUBTRACT
} as const

/** Every setting as it is in force. */
export async function describeConfigs(admin: Admin, { type, name }: ConfigResource): Promise<Config[]> {
  const [described] = await admin.describeConfigs({
    resources: [{ resourceType: type, resourceName: name }],
    includeDocumentation: true
  })
  return (described?.configs ?? []).map(config => ({
    name: config.name,
    value: config.value ?? null,
    from: SOURCES[config.configSource] ?? 'default',
    says: config.documentation ?? ''
  }))
}

/** All of the changes or none. */
export async function alterConfigs(
  admin: Admin,
  { type, name }: ConfigResource,
  edits: readonly ConfigEdit[],
  { dryRun }: { readonly dryRun: boolean }
): Promise<void> {
  const configs = edits.map(edit =>
    edit.operation === 'unset'
      ? { name: edit.name, configOperation: IncrementalAlterConfigOperationTypes.DELETE }
      : { name: edit.name, configOperation: OPERATIONS[edit.operation], value: edit.value }
  )
  const resources = [{ resourceType: type, resourceName: name, configs }]
  await admin.incrementalAlterConfigs({ resources, validateOnly: dryRun })
}
