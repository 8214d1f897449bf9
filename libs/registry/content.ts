/**
 * What makes two schemas the same: canonical text, references, metadata and rule set. One content has one schema ID,
 * and its GUID is the MD5 over exactly these, so that the same content bears the same GUID in every registry.
 */
import { createHash, type Hash, hash } from 'node:crypto'
import { AssayError } from '@assay/errors'

/** A named type of another subject's version that the text uses by name. */
export interface Reference {
  /** Full name of the type, as the text spells it. */
  readonly name: string
  readonly subject: string
  readonly version: number
}

export interface Metadata {
  readonly tags?: Readonly<Record<string, readonly string[]>>
  readonly properties?: Readonly<Record<string, string>>
  readonly sensitive?: readonly string[]
}

/** A data contract rule. The registry stores it; clients execute it. */
export interface Rule {
  readonly name?: string
  readonly doc?: string
  readonly kind?: string
  readonly mode?: string
  readonly type?: string
  readonly tags?: readonly string[]
  readonly params?: Readonly<Record<string, string>>
  readonly expr?: string
  readonly onSuccess?: string
  readonly onFailure?: string
  readonly disabled?: boolean
}

export interface RuleSet {
  readonly migrationRules?: readonly Rule[]
  readonly domainRules?: readonly Rule[]
  readonly encodingRules?: readonly Rule[]
  readonly enableAt?: string
}

export interface Content {
  readonly schemaType: string
  /** Canonical text. */
  readonly text: string
  readonly references: readonly Reference[]
  readonly metadata: Metadata | undefined
  readonly ruleSet: RuleSet | undefined
}

/**
 * The identity of a content: MD5 over its bytes in the order of Confluent's `Schema.updateHash`, as 32 hex digits.
 * MD5 is the format's choice, not a protection: whoever compares by it compares the content itself, too.
 */
export function fingerprintOf(content: Content): string {
  // Most contents are a text alone.
  if (content.references.length === 0 && !content.metadata && !content.ruleSet) return fingerprintOfText(content.text)
  const md5 = createHash('md5')
  md5.update(content.text, 'utf8')
  for (const reference of content.references) {
    md5.update(reference.name, 'utf8').update(reference.subject, 'utf8')
    const version = Buffer.alloc(4)
    version.writeInt32BE(reference.version)
    md5.update(version)
  }
  if (content.metadata) hashMetadata(md5, content.metadata)
  if (content.ruleSet) hashRuleSet(md5, content.ruleSet)
  return md5.digest('hex')
}

/** The text on its way into the registry is asked for again and again: when it is looked for, written, and read back. */
const latest = { text: '', fingerprint: hash('md5', '', 'hex') }

function fingerprintOfText(text: string): string {
  if (text !== latest.text) Object.assign(latest, { text, fingerprint: hash('md5', text, 'hex') })
  return latest.fingerprint
}

/** The GUID of a fingerprint: its 16 bytes written as a UUID. */
export const guidOf = (fingerprint: string): string =>
  `${fingerprint.slice(0, 8)}-${fingerprint.slice(8, 12)}-${fingerprint.slice(12, 16)}-${fingerprint.slice(16, 20)}-${fingerprint.slice(20)}`

/** Tags, properties and sensitive names sorted and without repetition, as they are stored and hashed; undefined stays undefined. */
export function sortedMetadata(metadata: Metadata | undefined): Metadata | undefined {
  if (metadata === undefined) return undefined
  return {
    ...(metadata.tags && { tags: sortedEntries(metadata.tags, values => sortedSet(values)) }),
    ...(metadata.properties && { properties: sortedEntries(metadata.properties, value => value) }),
    ...(metadata.sensitive && { sensitive: sortedSet(metadata.sensitive) })
  }
}

/** The rule set as it is stored and hashed: keys in one order, tags and parameters sorted; undefined stays undefined. */
export function orderedRuleSet(ruleSet: RuleSet | undefined): RuleSet | undefined {
  if (ruleSet === undefined) return undefined
  const { migrationRules, domainRules, encodingRules, enableAt } = ruleSet
  return {
    ...(migrationRules && { migrationRules: migrationRules.map(orderedRule) }),
    ...(domainRules && { domainRules: domainRules.map(orderedRule) }),
    ...(encodingRules && { encodingRules: encodingRules.map(orderedRule) }),
    ...(enableAt !== undefined && { enableAt })
  }
}

const MIGRATION_MODES = ['UPGRADE', 'DOWNGRADE', 'UPDOWN']
const OTHER_MODES = ['WRITE', 'READ', 'WRITEREAD']
/** With one action for each of two directions, parted by a comma. */
const PAIRED_MODES = ['WRITEREAD', 'UPDOWN']
const DEFAULT_RULE_KIND = 'TRANSFORM'
const DEFAULT_RULE_MODE = 'WRITEREAD'

/** Fails with INVALID_RULE_SET for a rule without name, type, fitting mode or fitting actions, and for a name used twice. */
export function checkRuleSet(ruleSet: RuleSet): void {
  const names = new Set<string>()
  const check = (rules: readonly Rule[] | undefined, fitting: readonly string[], what: string): void => {
    for (const rule of rules ?? []) {
      const name = rule.name ?? ''
      if (!/^[\p{L}_][\p{L}\p{N}_-]{0,255}$/u.test(name)) throw invalidRule(`'${name}' is not a rule name`)
      if (names.has(name)) throw invalidRule(`Found rule with duplicate name '${name}'`)
      names.add(name)
      if (rule.type === undefined) throw invalidRule(`Rule '${name}': Missing rule type`)
      const { mode = DEFAULT_RULE_MODE, onSuccess = '', onFailure = '' } = rule
      if (!fitting.includes(mode)) throw invalidRule(`Rule '${name}': ${what} rules can only be ${fitting.join(', ')}`)
      if (!PAIRED_MODES.includes(mode) && (onSuccess.includes(',') || onFailure.includes(','))) {
        throw invalidRule(`Rule '${name}': Multiple actions only valid with ${PAIRED_MODES.join(' and ')}`)
      }
    }
  }
  check(ruleSet.migrationRules, MIGRATION_MODES, 'Migration')
  check(ruleSet.domainRules, OTHER_MODES, 'Domain')
  check(ruleSet.encodingRules, OTHER_MODES, 'Encoding')
}

const invalidRule = (reason: string): AssayError => new AssayError('INVALID_RULE_SET', { reason })

/** Whether a value read from a log has the shape of metadata. */
export function isMetadata(value: unknown): value is Metadata {
  return (
    isObject(value) &&
    isMapOf(value['tags'], isTexts) &&
    isMapOf(value['properties'], isText) &&
    (value['sensitive'] === undefined || isTexts(value['sensitive']))
  )
}

/** Whether a value read from a log has the shape of a rule set. */
export function isRuleSet(value: unknown): value is RuleSet {
  if (!isObject(value)) return false
  const { migrationRules, domainRules, encodingRules, enableAt } = value
  return [migrationRules, domainRules, encodingRules].every(isRules) && (enableAt === undefined || isText(enableAt))
}

const RULE_TEXTS = ['name', 'doc', 'kind', 'mode', 'type', 'expr', 'onSuccess', 'onFailure']

const isRules = (value: unknown): boolean => value === undefined || (Array.isArray(value) && value.every(isRule))
const isRule = (value: unknown): boolean =>
  isObject(value) &&
  RULE_TEXTS.every(name => value[name] === undefined || isText(value[name])) &&
  (value['tags'] === undefined || isTexts(value['tags'])) &&
  isMapOf(value['params'], isText)
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: unknown): value is string => typeof value === 'string'
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText)
const isMapOf = (value: unknown, isValue: (value: unknown) => boolean): boolean =>
  value === undefined || (isObject(value) && Object.values(value).every(isValue))

function orderedRule(rule: Rule): Rule {
  const {
    name,
    doc,
    kind = DEFAULT_RULE_KIND,
    mode = DEFAULT_RULE_MODE,
    type,
    tags,
    params,
    expr,
    onSuccess,
    onFailure,
    disabled
  } = rule
  return {
    ...(name !== undefined && { name }),
    ...(doc !== undefined && { doc }),
    kind,
    mode,
    ...(type !== undefined && { type }),
    ...(tags && { tags: sortedSet(tags) }),
    ...(params && { params: sortedEntries(params, value => value) }),
    ...(expr !== undefined && { expr }),
    ...(onSuccess !== undefined && { onSuccess }),
    ...(onFailure !== undefined && { onFailure }),
    disabled: disabled ?? false
  }
}

function hashMetadata(md5: Hash, metadata: Metadata): void {
  md5.update(PRESENT)
  for (const [key, values] of Object.entries(metadata.tags ?? {})) {
    md5.update(key, 'utf8')
    for (const value of values) md5.update(value, 'utf8')
  }
  for (const [key, value] of Object.entries(metadata.properties ?? {})) md5.update(key, 'utf8').update(value, 'utf8')
  for (const name of metadata.sensitive ?? []) md5.update(name, 'utf8')
}

function hashRuleSet(md5: Hash, ruleSet: RuleSet): void {
  md5.update(PRESENT)
  for (const rule of [...(ruleSet.migrationRules ?? []), ...(ruleSet.domainRules ?? []), ...(ruleSet.encodingRules ?? [])]) {
    for (const text of [rule.name, rule.doc, rule.kind, rule.mode, rule.type]) if (text !== undefined) md5.update(text, 'utf8')
    for (const tag of rule.tags ?? []) md5.update(tag, 'utf8')
    for (const [key, value] of Object.entries(rule.params ?? {})) md5.update(key, 'utf8').update(value, 'utf8')
    for (const text of [rule.expr, rule.onSuccess, rule.onFailure]) if (text !== undefined) md5.update(text, 'utf8')
    if (rule.disabled) md5.update(PRESENT)
  }
  if (ruleSet.enableAt !== undefined) md5.update(ruleSet.enableAt, 'utf8')
}

/** One byte 1: tells an empty metadata or rule set from none, and a disabled rule from an enabled one. */
const PRESENT = Buffer.of(1)

const sortedSet = (values: readonly string[]): string[] => [...new Set(values)].sort()

/** Own entries in the order of their keys, on an object without prototype: a key `__proto__` is a key like any other. */
function sortedEntries<V, W>(entries: Readonly<Record<string, V>>, map: (value: V) => W): Record<string, W> {
  const sorted: Record<string, W> = Object.create(null)
  for (const key of Object.keys(entries).sort()) sorted[key] = map(entries[key] as V)
  return sorted
}
