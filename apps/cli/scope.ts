/** Settings and modes as they are in force, and where each comes from: the subject, its context, the registry, or nobody set it. */
import { type RegistryClient, type RegistryConfig, type RegistryMode, refusedWith, registryConfigFields } from '@assay/client'
import { contextOf } from './schemas/schema-ref.ts'

export type Origin = 'subject' | 'context' | 'registry' | 'default'

export interface InForce<T> {
  readonly value: T
  readonly from: Origin
}

export type ConfigInForce = Readonly<Record<keyof RegistryConfig, InForce<RegistryConfig[keyof RegistryConfig]>>>

const SUBJECT_NOT_FOUND = 40401
const NO_CONFIG = 40408
const NO_MODE = 40409
/** What is in force where nobody set anything. */
const defaults: RegistryConfig = {
  normalize: false,
  validateFields: false,
  compatibilityLevel: 'BACKWARD',
  compatibilityPolicy: 'STRICT'
}
export const DEFAULT_MODE: RegistryMode = 'READWRITE'

export const isDefaultConfig = (config: RegistryConfig): boolean =>
  registryConfigFields.every(name => config[name] === undefined || config[name] === defaults[name])

/** A subject's own settings; undefined when it has none. */
export const ownConfig = (registry: RegistryClient, subject: string | undefined): Promise<RegistryConfig | undefined> =>
  unlessUnset(registry.config(subject), SUBJECT_NOT_FOUND, NO_CONFIG)

/** A subject's own mode; undefined when it has none. */
export const ownMode = (registry: RegistryClient, subject: string | undefined): Promise<RegistryMode | undefined> =>
  unlessUnset(registry.mode(subject), SUBJECT_NOT_FOUND, NO_MODE)

/** A registry answers its level whether it was set or not: the default level of the whole registry counts as `default`. */
export async function configInForce(registry: RegistryClient, subject: string | undefined): Promise<ConfigInForce> {
  const context = ownContext(subject)
  const [own, ofContext, merged, everywhere] = await Promise.all([
    subject === undefined || isContext(subject) ? undefined : ownConfig(registry, subject),
    context === undefined ? undefined : ownConfig(registry, context),
    subject === undefined
      ? undefined
      : unlessUnset(registry.config(subject, { defaultToGlobal: true }), SUBJECT_NOT_FOUND, NO_CONFIG),
    registry.config()
  ])
  const inForce = (name: keyof RegistryConfig): InForce<RegistryConfig[keyof RegistryConfig]> => {
    if (own?.[name] !== undefined) return { value: own[name], from: 'subject' }
    if (ofContext?.[name] !== undefined) return { value: ofContext[name], from: 'context' }
    // Some registries answer a subject's own settings alone where those in force were asked for.
    const value = merged?.[name] ?? (context === undefined ? everywhere[name] : undefined)
    if (value === undefined || value === defaults[name]) return { value: defaults[name], from: 'default' }
    return { value, from: 'registry' }
  }
  return Object.fromEntries(registryConfigFields.map(name => [name, inForce(name)])) as ConfigInForce
}

export async function modeInForce(registry: RegistryClient, subject: string | undefined): Promise<InForce<RegistryMode>> {
  if (subject === undefined) return fromRegistry(await registry.mode())
  const context = ownContext(subject)
  const [own, ofContext, value] = await Promise.all([
    isContext(subject) ? undefined : ownMode(registry, subject),
    context === undefined ? undefined : ownMode(registry, context),
    registry.mode(subject, { defaultToGlobal: true })
  ])
  // In older registries READONLY_OVERRIDE overrules what a subject has.
  if (own === value) return { value, from: 'subject' }
  return ofContext === value ? { value, from: 'context' } : fromRegistry(value)
}

const fromRegistry = (value: RegistryMode): InForce<RegistryMode> => ({
  value,
  from: value === DEFAULT_MODE ? 'default' : 'registry'
})

const isContext = (subject: string): boolean => contextOf(subject) === subject

/** Undefined in the default context, whose settings are those of the registry. */
const ownContext = (subject: string | undefined): string | undefined => contextOf(subject ?? '') || undefined

async function unlessUnset<T>(answer: Promise<T>, ...codes: readonly number[]): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (refusedWith(error, ...codes)) return undefined
    throw error
  }
}
