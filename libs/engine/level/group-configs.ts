/** Settings of single consumer groups (Kafka's resource type GROUP), kept in the metadata log and in force at once. */
import { AssayError } from '@assay/errors'
import { type Candidate, SOURCE } from './broker-defaults.ts'
import { invalidConfig } from './config-values.ts'
import type { GroupTiming } from './consumer-groups/host.ts'
import type { MetadataLog } from './metadata-log.ts'
import type { LevelOptions } from './options.ts'
import type { ConfigKind } from './topic-configs.ts'

interface GroupConfigRow {
  /** What stands in for it, as the broker names it. */
  readonly broker: string
  readonly kind: ConfigKind
  readonly says: string
  readonly fallback: (options: LevelOptions) => number
  /** Why a value cannot be, or undefined. */
  readonly fault: (value: number, options: LevelOptions) => string | undefined
}

const HEARTBEAT_MIN_MS = 100

export const groupConfigs: ReadonlyMap<string, GroupConfigRow> = new Map([
  [
    'consumer.session.timeout.ms',
    {
      broker: 'group.consumer.session.timeout.ms',
      kind: 'int',
      says: 'How long a member of the consumer protocol may be silent before it is put out of the group.',
      fallback: options => options.groupConsumerSessionTimeoutMs,
      fault: (value, { groupSessionTimeoutMinMs: min, groupSessionTimeoutMaxMs: max }) =>
        value < min || value > max ? `it must lie between ${min} and ${max}` : undefined
    }
  ],
  [
    'consumer.heartbeat.interval.ms',
    {
      broker: 'group.consumer.heartbeat.interval.ms',
      kind: 'int',
      says: 'How often a member of the consumer protocol is to be heard from when nothing happens.',
      fallback: options => options.groupConsumerHeartbeatIntervalMs,
      fault: (value, { groupSessionTimeoutMaxMs: max }) =>
        value < HEARTBEAT_MIN_MS || value > max ? `it must lie between ${HEARTBEAT_MIN_MS} and ${max}` : undefined
    }
  ]
])

export interface GroupConfigs {
  /** Those that somebody has set something for. */
  groups(): Iterable<string>
  /** What was set for the group. */
  of(group: string): ReadonlyMap<string, string>
  /** `change` gets what is set and gives what shall be, or fails. Durable when it resolves. */
  configure(
    group: string,
    change: (configs: ReadonlyMap<string, string>) => ReadonlyMap<string, string>,
    options: { readonly validateOnly: boolean }
  ): Promise<void>
}

const NOTHING: ReadonlyMap<string, string> = new Map()

export function openGroupConfigs(metadataLog: MetadataLog, options: LevelOptions): GroupConfigs {
  const of = (group: string): ReadonlyMap<string, string> => metadataLog.metadata.groupConfigs.get(group) ?? NOTHING
  return {
    groups: () => metadataLog.metadata.groupConfigs.keys(),
    of,
    async configure(group, change, { validateOnly }) {
      await metadataLog.change(() => {
        const configs = change(of(group))
        checkGroupConfigs(configs, options)
        return { records: validateOnly ? [] : [{ type: 'group-configs', group, configs }], result: () => undefined }
      })
    }
  }
}

/** Fails with INVALID_CONFIG where there is no such setting. */
export function groupConfigName(name: string): string {
  if (groupConfigs.has(name)) return name
  throw invalidConfig(name, 'groups have no such setting')
}

export function readGroupConfig(name: string, text: string, options: LevelOptions): readonly [string, string] {
  const row = groupConfigs.get(groupConfigName(name))!
  const value = /^\d{1,10}$/.test(text.trim()) ? Number(text) : Number.NaN
  if (Number.isNaN(value)) throw invalidConfig(name, 'it is not a whole number')
  const fault = row.fault(value, options)
  if (fault !== undefined) throw invalidConfig(name, fault)
  return [name, String(value)]
}

/** A member must have the time for more than one heartbeat. Fails with INVALID_CONFIG. */
function checkGroupConfigs(configs: ReadonlyMap<string, string>, options: LevelOptions): void {
  const { sessionTimeoutMs, heartbeatIntervalMs } = timingUnder(configs, options)
  if (heartbeatIntervalMs < sessionTimeoutMs) return
  throw invalidConfig(
    'consumer.heartbeat.interval.ms',
    `it must be less than consumer.session.timeout.ms, which is ${sessionTimeoutMs}`
  )
}

export const groupTiming = ({ metadata }: MetadataLog, options: LevelOptions, groupId: string): GroupTiming =>
  timingUnder(metadata.groupConfigs.get(groupId) ?? new Map(), options)

function timingUnder(configs: ReadonlyMap<string, string>, options: LevelOptions): GroupTiming {
  const inForce = (name: string): number => Number(configs.get(name) ?? groupConfigs.get(name)!.fallback(options))
  return {
    sessionTimeoutMs: inForce('consumer.session.timeout.ms'),
    heartbeatIntervalMs: inForce('consumer.heartbeat.interval.ms')
  }
}

/** Of one setting of a group: the values that it could have, strongest first. */
export function groupCandidates(configs: ReadonlyMap<string, string>, name: string, options: LevelOptions) {
  const row = groupConfigs.get(name)!
  const set = configs.get(name)
  const candidates: Candidate[] = [{ name: row.broker, value: String(row.fallback(options)), source: SOURCE.default }]
  if (set !== undefined) candidates.unshift({ name, value: set, source: SOURCE.group })
  return candidates
}

export function checkGroupName(group: string): void {
  if (group === '') throw new AssayError('INVALID_REQUEST', { reason: 'The group has no name.' })
}
