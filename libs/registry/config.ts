/** Compatibility levels and the other settings of subjects: what is in scope for whom, and how a change of them reads in the journal. */
import { type CompatibilityLevel, parseLevel } from '@assay/avro'
import { AssayError } from '@assay/errors'
import type { ConfigValue, Plan } from './changes.ts'
import { refuseReadOnly } from './mode.ts'
import type { State } from './subjects.ts'

/** In force where nothing was ever set. */
export const DEFAULT_LEVEL: CompatibilityLevel = 'BACKWARD'

/** The settings that this registry acts on. */
export interface Config {
  readonly compatibilityLevel?: CompatibilityLevel
  /** Whether texts are normalised before they are compared and stored, although the request does not ask. */
  readonly normalize?: boolean
}

export interface ConfigUpdate {
  /** In any letter case. */
  readonly compatibility?: string
  readonly normalize?: boolean
}

/** Fails with INVALID_COMPATIBILITY_LEVEL; any letter case is taken. */
export function levelNamed(name: string): CompatibilityLevel {
  const level = parseLevel(name)
  if (level === undefined) throw new AssayError('INVALID_COMPATIBILITY_LEVEL', {})
  return level
}

/** The subject's own settings, or undefined when it has none. Subject null is the whole registry, which always has a level. */
export function configOf(state: State, subject: string | null): Config | undefined {
  const value = state.configs.get(subject)
  if (subject === null) return { compatibilityLevel: DEFAULT_LEVEL, ...(value && acted(value)) }
  return value && acted(value)
}

/** Setting by setting: the subject's own, else the registry's, else the default. */
export function configInScope(state: State, subject: string): Config & { readonly compatibilityLevel: CompatibilityLevel } {
  return { compatibilityLevel: DEFAULT_LEVEL, ...configOf(state, null), ...configOf(state, subject) }
}

function acted(value: ConfigValue): Config {
  const name = value['compatibilityLevel']
  const level = typeof name === 'string' ? parseLevel(name) : undefined
  const normalize = value['normalize']
  return { ...(level && { compatibilityLevel: level }), ...(typeof normalize === 'boolean' && { normalize }) }
}

/** Names of settings in a CONFIG record that this registry keeps but does not act on. */
export function settingsNotActedOn(value: ConfigValue): string[] {
  return Object.keys(value).filter(name => name !== 'compatibilityLevel' && name !== 'normalize')
}

/** Sets what the update names and keeps the rest; answers the settings as they are then. */
export function planConfig(state: State, subject: string | null, update: ConfigUpdate): Plan<Config> {
  const level = update.compatibility === undefined ? undefined : levelNamed(update.compatibility)
  refuseReadOnly(state, subject)
  const config = {
    ...state.configs.get(subject),
    ...(update.normalize !== undefined && { normalize: update.normalize }),
    ...(level && { compatibilityLevel: level })
  }
  return { changes: [{ type: 'config', subject, config }], answer: acted(config) }
}

/** Takes the settings away and answers what they were. Fails with SUBJECT_NOT_FOUND when the subject has none. */
export function planConfigRemoval(state: State, subject: string | null): Plan<Config> {
  const config = configOf(state, subject)
  if (config === undefined) throw new AssayError('SUBJECT_NOT_FOUND', { subject: String(subject) })
  refuseReadOnly(state, subject)
  return { changes: state.configs.has(subject) ? [{ type: 'config', subject, config: undefined }] : [], answer: config }
}
