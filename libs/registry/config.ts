/** Compatibility levels and the other settings of subjects: what is in scope for whom, and how a change of them reads in the journal. */
import { type CompatibilityLevel, parseLevel } from '@assay/avro'
import { AssayError } from '@assay/errors'
import type { ConfigValue, Plan } from './changes.ts'
import { checkRuleSet, isMetadata, isRuleSet, type Metadata, orderedRuleSet, type RuleSet, sortedMetadata } from './content.ts'
import { refuseReadOnly } from './mode.ts'
import { GLOBAL_CONTEXT, prefixOf, scopesOf } from './qualified.ts'
import type { State } from './subjects.ts'

/** In force where nothing was ever set. */
export const DEFAULT_LEVEL: CompatibilityLevel = 'BACKWARD'

export const compatibilityPolicies = ['STRICT', 'LENIENT', 'LOGICAL'] as const
export type CompatibilityPolicy = (typeof compatibilityPolicies)[number]

export interface Config {
  /** Another name for a subject: requests for the subject that has this setting go to the one that it names. */
  readonly alias?: string
  /** The same for data encryption keys, which this registry does not keep. */
  readonly aliasForDeks?: string
  /** Whether texts are normalised before they are compared and stored, although the request does not ask. */
  readonly normalize?: boolean
  /** Whether fields that the metadata property `confluent:reserved` names are kept free. */
  readonly validateFields?: boolean
  /** Whether new texts are parsed strictly: default values that fit, names that are names. True where nothing is set. */
  readonly validateNewSchemas?: boolean
  /** Kept for clients; the shape of rules is checked always. */
  readonly validateRules?: boolean
  readonly compatibilityLevel?: CompatibilityLevel
  /** LOGICAL refuses changes of logical types too; STRICT and LENIENT differ for JSON Schema only. */
  readonly compatibilityPolicy?: CompatibilityPolicy
  /** A metadata property: only versions with the same value of it are compared. */
  readonly compatibilityGroup?: string
  /** Merged beneath what a registration brings or inherits. */
  readonly defaultMetadata?: Metadata
  /** Merged over it. */
  readonly overrideMetadata?: Metadata
  readonly defaultRuleSet?: RuleSet
  readonly overrideRuleSet?: RuleSet
}

/** What is absent stays as it is; null takes a setting away. */
export type ConfigUpdate = {
  readonly [K in Exclude<keyof Config, 'compatibilityLevel' | 'compatibilityPolicy'>]?: Config[K] | null
} & {
  /** In any letter case. */
  readonly compatibility?: string | null
  /** In any letter case. */
  readonly compatibilityPolicy?: string | null
}

/** Fails with INVALID_COMPATIBILITY_LEVEL; any letter case is taken. */
export function levelNamed(name: string): CompatibilityLevel {
  const level = parseLevel(name)
  if (level === undefined) throw new AssayError('INVALID_COMPATIBILITY_LEVEL', {})
  return level
}

/** The settings of a subject itself, the level in force among them, or undefined when it has none. Null always has a level. */
export function configOf(state: State, subject: string | null): Config | undefined {
  const value = state.configs.get(subject)
  if (value === undefined && subject !== null && subject !== prefixOf(GLOBAL_CONTEXT)) return undefined
  return { compatibilityLevel: configInScope(state, subject).compatibilityLevel, ...(value && readConfig(value)) }
}

/**
 * Setting by setting the first that is found on the way from the subject to the context for all, else the default. Alias, metadata and
 * rule sets are those of the first scope that has any settings at all, and the alias is nobody's but the subject's own.
 */
export function configInScope(
  state: State,
  subject: string | null
): Config & { readonly compatibilityLevel: CompatibilityLevel } {
  let merged: Config | undefined
  for (const scope of scopesOf(subject)) {
    const value = state.configs.get(scope)
    if (value === undefined) continue
    const config = readConfig(value)
    if (merged === undefined) merged = scope === subject ? config : without(config, OWN)
    else merged = { ...without(config, [...OWN, ...ATTACHED]), ...merged }
  }
  return { compatibilityLevel: DEFAULT_LEVEL, ...merged }
}

const OWN: readonly (keyof Config)[] = ['alias', 'aliasForDeks']
const ATTACHED: readonly (keyof Config)[] = ['defaultMetadata', 'overrideMetadata', 'defaultRuleSet', 'overrideRuleSet']

function without(config: Config, names: readonly (keyof Config)[]): Config {
  return Object.fromEntries(Object.entries(config).filter(([name]) => !names.includes(name as keyof Config)))
}

/** The settings of a record of the journal, each read for itself: what another program wrote oddly is passed over. */
function readConfig(value: ConfigValue): Config {
  const level = typeof value['compatibilityLevel'] === 'string' ? parseLevel(value['compatibilityLevel']) : undefined
  const policy = policyNamed(value['compatibilityPolicy'])
  return {
    ...textsOf(value, ['alias', 'aliasForDeks', 'compatibilityGroup']),
    ...flagsOf(value),
    ...(level && { compatibilityLevel: level }),
    ...(policy && { compatibilityPolicy: policy }),
    ...(isMetadata(value['defaultMetadata']) && { defaultMetadata: value['defaultMetadata'] }),
    ...(isMetadata(value['overrideMetadata']) && { overrideMetadata: value['overrideMetadata'] }),
    ...(isRuleSet(value['defaultRuleSet']) && { defaultRuleSet: value['defaultRuleSet'] }),
    ...(isRuleSet(value['overrideRuleSet']) && { overrideRuleSet: value['overrideRuleSet'] })
  }
}

function textsOf(value: ConfigValue, names: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of names) if (typeof value[name] === 'string') found[name] = value[name]
  return found
}

function flagsOf(value: ConfigValue): Record<string, boolean> {
  const found: Record<string, boolean> = {}
  for (const name of ['normalize', 'validateFields', 'validateNewSchemas', 'validateRules']) {
    if (typeof value[name] === 'boolean') found[name] = value[name]
  }
  return found
}

const policyNamed = (name: unknown): CompatibilityPolicy | undefined =>
  typeof name === 'string' ? compatibilityPolicies.find(policy => policy === name.toUpperCase()) : undefined

/**
 * Sets what the update names and keeps the rest; answers the settings as they are then.
 * Fails with INVALID_COMPATIBILITY_LEVEL, INVALID_RULE_SET, INVALID_REQUEST_BODY (policy), OPERATION_NOT_PERMITTED.
 */
export function planConfig(state: State, subject: string | null, update: ConfigUpdate): Plan<Config> {
  const { compatibility, compatibilityPolicy, ...rest } = update
  const set: Record<string, unknown> = { ...state.configs.get(subject), ...rest }
  if (compatibility !== undefined) set['compatibilityLevel'] = compatibility === null ? null : levelNamed(compatibility)
  if (compatibilityPolicy !== undefined)
    set['compatibilityPolicy'] = compatibilityPolicy === null ? null : policyOf(compatibilityPolicy)
  for (const name of ['defaultMetadata', 'overrideMetadata'] as const) if (rest[name]) set[name] = sortedMetadata(rest[name])
  for (const name of ['defaultRuleSet', 'overrideRuleSet'] as const) {
    if (!rest[name]) continue
    checkRuleSet(rest[name])
    set[name] = orderedRuleSet(rest[name])
  }
  refuseReadOnly(state, subject)
  const config = Object.fromEntries(Object.entries(set).filter(([, value]) => value !== null && value !== undefined))
  return { changes: [{ type: 'config', subject, config }], answer: readConfig(config) }
}

function policyOf(name: string): CompatibilityPolicy {
  const policy = policyNamed(name)
  if (policy) return policy
  throw new AssayError('INVALID_REQUEST_BODY', {
    reason: `/compatibilityPolicy must be one of ${compatibilityPolicies.join(', ')}`
  })
}

/** Takes the settings away and answers what they were. Fails with SUBJECT_NOT_FOUND when the subject has none. */
export function planConfigRemoval(state: State, subject: string | null): Plan<Config> {
  const config = configOf(state, subject)
  if (config === undefined) throw new AssayError('SUBJECT_NOT_FOUND', { subject: String(subject) })
  refuseReadOnly(state, subject)
  return { changes: state.configs.has(subject) ? [{ type: 'config', subject, config: undefined }] : [], answer: config }
}
