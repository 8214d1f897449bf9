/**
 * Registration and look-up: what a request means against the state, decided before anything is written.
 * The order of the decisions is that of Confluent's registry, because it shows in the answers.
 */
import type { Schema } from '@assay/avro'
import { AssayError } from '@assay/errors'
import { type Change, NUMBER_MAX, type Plan } from './changes.ts'
import { checkAgainst } from './compatibility.ts'
import { configInScope } from './config.ts'
import { type Content, checkRuleSet, fingerprintOf, guidOf } from './content.ts'
import { modeInScope, refuseRegistration, takesAsGiven } from './mode.ts'
import { checkName, contextOf, DEFAULT_CONTEXT, prefixOf, readQualified } from './qualified.ts'
import { parsedOf } from './references.ts'
import { contentOf, inherit, type Means, type SchemaRequest, VERSION_PROPERTY, withRequestedTags } from './request.ts'
import { schemaTypeNamed } from './schema-type.ts'
import {
  contextHolding,
  isSameContent,
  latestOf,
  listedContexts,
  type RegisteredSchema,
  referrersOf,
  type State,
  sameContent,
  type Version,
  versionsOf
} from './subjects.ts'

/** What a registration answers. */
export interface Registration extends Registered {
  /** The content as an object, for whoever compares with it next; undefined when it was there before. */
  readonly parsed: (() => Schema) | undefined
}

/** Where a content came to lie. */
export interface Registered {
  readonly subject: string
  readonly version: number
  readonly id: number
  readonly guid: string
  readonly content: Content
}

/** What is decided and on its way into the log, though not in force yet: others may be decided beside it, if they keep clear of it. */
export interface Underway {
  /** The highest schema ID given out in a context, or undefined. */
  maxId(context: string): number | undefined
  /** The ID of a content that is about to be registered in the context, or undefined. */
  idOf(context: string, content: Content): number | undefined
}

export const nothingUnderway: Underway = { maxId: () => undefined, idOf: () => undefined }

export interface RegistrationOptions extends Means {
  readonly normalize: boolean
  /** Skips the compatibility check. */
  readonly force: boolean
}

export function planRegistration(
  state: State,
  subject: string,
  request: SchemaRequest,
  { normalize, force, ...means }: RegistrationOptions,
  underway: Underway = nothingUnderway
): Plan<Registration> {
  if (request.ruleSet) checkRuleSet(request.ruleSet)
  checkName(subject, means.limits)
  const before = registeredBefore(state, subject, request, { normalize, ...means })
  if (before) return { changes: [], answer: { ...registered(before), parsed: undefined } }
  const givenId = request.id !== undefined && request.id >= 0 ? request.id : undefined
  refuseRegistration(state, subject, givenId !== undefined)
  const isImport = takesAsGiven(modeInScope(state, subject))
  const all = versionsOf(state, subject, true)
  const live = all.filter(version => !version.deleted)
  const next = (all.at(-1)?.version ?? 0) + 1
  const asked = request.version !== undefined && request.version > 0 ? request.version : undefined
  const config = configInScope(state, subject)
  const isTagged = (request.schemaTagsToAdd ?? request.schemaTagsToRemove) !== undefined
  const isDated = isTagged || (request.version !== undefined && request.version !== 0)
  const complete = isImport
    ? request
    : withRequestedTags(state, inherit(request, live.at(-1), config, { next, ...(isDated && { asked: next }) }), live.at(-1))
  const { content, parsed } = contentOf(state, subject, complete, {
    ...means,
    normalize: !isImport && (normalize || config.normalize === true),
    validatesDefaults: givenId === undefined && config.validateNewSchemas !== false,
    deletedTargets: isImport
  })

  const context = contextOf(subject)
  const known = sameContent(contextHolding(state, subject), content)
  if ((request.version ?? 0) === 0) {
    const fits = ({ schema }: Version): boolean => givenId === undefined || schema.id === givenId
    const stands = canStandFor(state, content)
    const there =
      live.findLast(version => fits(version) && version.schema === known) ??
      live.findLast(version => fits(version) && stands(version.schema))
    // What was inherited may have made it what is there.
    if (there) return { changes: [], answer: { ...registered(there), parsed: undefined } }
  }
  if (!force && !isImport) {
    const { isCompatible, messages } = checkAgainst(state, subject, { parsed, content }, live, {
      ...means,
      next,
      warnings: false
    })
    if (!isCompatible) throw new AssayError('INCOMPATIBLE_SCHEMA', { subject, details: messages.join(', ') })
  }
  if (asked !== undefined && asked !== next && !isImport) {
    throw new AssayError('INVALID_SCHEMA', { reason: 'Version is not one more than previous version' })
  }
  if (givenId !== undefined) refuseOverwrite(state, subject, givenId, content)
  const version = asked ?? next
  const id =
    givenId ??
    known?.id ??
    underway.idOf(context, content) ??
    Math.max(contextHolding(state, subject)?.maxId ?? 0, underway.maxId(context) ?? 0) + 1
  if (Math.max(id, version) > NUMBER_MAX) throw new AssayError('OPERATION_NOT_PERMITTED', { reason: 'No number is left to give' })
  const isNewContext = context !== DEFAULT_CONTEXT && contextHolding(state, subject)?.isListed !== true
  return {
    changes: [
      ...(isNewContext ? [{ type: 'context', context, exists: true } as const] : []),
      { type: 'schema', subject, version, id, content, deleted: false },
      ...replaced(state, all, { id, version })
    ],
    answer: { subject, version, id, guid: guidOf(fingerprintOf(content)), content, parsed }
  }
}

/**
 * What is live already is answered before anybody asks for leave to write, and is not judged as something new. A request that changes its
 * text or has settings laid over it is not looked for; one for a version of its own only when it has the ID of that version, too.
 * Fails as `contentOf`.
 */
function registeredBefore(
  state: State,
  subject: string,
  request: SchemaRequest,
  { normalize, ...means }: Means & { readonly normalize: boolean }
): Version | undefined {
  const { schema = '', id = -1, version = 0, propagateSchemaTags, schemaTagsToAdd, schemaTagsToRemove } = request
  if (schema.trim() === '' || propagateSchemaTags || (schemaTagsToAdd ?? schemaTagsToRemove) !== undefined) return undefined
  const config = configInScope(state, subject)
  const { defaultMetadata, overrideMetadata, defaultRuleSet, overrideRuleSet } = config
  if (defaultMetadata ?? overrideMetadata ?? defaultRuleSet ?? overrideRuleSet) return undefined
  const { content } = contentOf(state, subject, request, {
    ...means,
    normalize: !takesAsGiven(modeInScope(state, subject)) && (normalize || config.normalize === true),
    deletedTargets: true,
    validatesDefaults: false
  })
  const live = versionsOf(state, subject, false)
  const found = versionWith(state, version === -1 ? live.slice(-1) : live, content)
  if (found === undefined || (id >= 0 && id !== found.schema.id)) return undefined
  if (version <= 0) return found
  // One content may have been imported under several versions.
  return id < 0 ? undefined : live.find(other => other.version === version && other.schema === found.schema)
}

/** The newest of these versions that has the very content, or else one that can stand for it. */
function versionWith(state: State, versions: readonly Version[], content: Content): Version | undefined {
  if (versions.length === 0) return undefined
  const known = sameContent(versions[0]!.schema.context, content)
  const stands = canStandFor(state, content)
  return (known && versions.findLast(version => version.schema === known)) ?? versions.findLast(version => stands(version.schema))
}

/** An ID that stands for another content keeps it. */
function refuseOverwrite(state: State, subject: string, id: number, content: Content): void {
  const holder = contextHolding(state, subject)?.schemas.get(id)
  if (holder === undefined || isSameContent(holder, content)) return
  throw new AssayError('OPERATION_NOT_PERMITTED', {
    reason: `Overwrite new schema with id ${id} in context ${contextOf(subject)} is not permitted.`
  })
}

export interface LookUpOptions extends Means {
  readonly normalize: boolean
  /** Whether soft-deleted versions count. */
  readonly deleted: boolean
}

/**
 * The version of the subject with this very content; a name without a context is then tried in every context.
 * Fails with SUBJECT_NOT_FOUND, SCHEMA_NOT_IN_SUBJECT, INVALID_SCHEMA.
 */
export function lookUp(state: State, subject: string, request: SchemaRequest, options: LookUpOptions): Registered {
  const here = lookUpUnder(state, subject, request, options)
  if (here) return here
  if (contextOf(subject) === DEFAULT_CONTEXT) {
    for (const { name } of listedContexts(state)) {
      if (name === DEFAULT_CONTEXT) continue
      const elsewhere = prefixOf(name) + readQualified(subject).subject
      const there = state.subjects.has(elsewhere) ? lookUpUnder(state, elsewhere, request, options) : undefined
      if (there) return there
    }
  }
  if (versionsOf(state, subject, options.deleted).length === 0) throw new AssayError('SUBJECT_NOT_FOUND', { subject })
  throw new AssayError('SCHEMA_NOT_IN_SUBJECT', {})
}

function lookUpUnder(
  state: State,
  subject: string,
  request: SchemaRequest,
  { normalize, deleted, ...means }: LookUpOptions
): Registered | undefined {
  const versions = versionsOf(state, subject, deleted)
  const config = configInScope(state, subject)
  const completed = inherit(request, latestOf(state, subject), config)
  const hasMore = completed.metadata !== request.metadata || completed.ruleSet !== request.ruleSet
  const requests = request.schema === undefined ? [] : hasMore ? [request, completed] : [request]
  for (const tried of requests) {
    for (const normalized of normalize || config.normalize === true ? [true] : [false, true]) {
      const { content } = contentOf(state, subject, tried, {
        ...means,
        normalize: normalized,
        deletedTargets: true,
        validatesDefaults: false
      })
      const found = versionWith(state, versions, content)
      if (found) return registered(found)
    }
  }
  return undefined
}

/**
 * Whether a registered schema is what was sent, although the two are not the same letter by letter: its attributes may stand in another
 * order, it may bear a version number in its metadata, which says where a schema lies and not what it is, and its references may have been
 * sent written out.
 */
function canStandFor(state: State, sent: Content): (there: RegisteredSchema) => boolean {
  const isSent = sameText(sent)
  return there => {
    if (sent.schemaType !== there.schemaType) return false
    if (isSent(there.text, () => charactersIn(there))) {
      if (sent.metadata === undefined && there.metadata === undefined && sent.references.length + there.references.length === 0) {
        return JSON.stringify(sent.ruleSet ?? null) === JSON.stringify(there.ruleSet ?? null)
      }
      if (undated(sent) === undated(there)) return true
    }
    if (sent.references.length > 0 || there.references.length === 0) return false
    return isSent(writtenOut(state, there)) && undated(sent) === undated({ ...there, references: [] })
  }
}

/** The same attributes make texts of the same length, from the same characters: nearly all others are told apart by that. */
function sameText({ schemaType, text: sent }: Content): (text: string, charactersOf?: () => number) => boolean {
  const { unorderedText } = schemaTypeNamed(schemaType)
  let characters: number | undefined
  let unordered: string | undefined
  return (text, charactersOf = () => sumOfCharacters(text)) => {
    if (sent === text) return true
    if (sent.length !== text.length) return false
    characters ??= sumOfCharacters(sent)
    if (charactersOf() !== characters) return false
    unordered ??= unorderedText(sent)
    return unorderedText(text) === unordered
  }
}

const characterSums = new WeakMap<RegisteredSchema, number>()

/** A subject may have thousands of versions of the same length. */
function charactersIn(schema: RegisteredSchema): number {
  const known = characterSums.get(schema)
  if (known !== undefined) return known
  const sum = sumOfCharacters(schema.text)
  characterSums.set(schema, sum)
  return sum
}

/** Of a number for each character that says nothing of its neighbours (Knuth's multiplicative hash): the order does not matter. */
function sumOfCharacters(text: string): number {
  let sum = 0
  for (let at = 0; at < text.length; at++) {
    const spread = Math.imul(text.charCodeAt(at) + 1, 0x9e3779b1)
    sum = (sum + (spread ^ (spread >>> 15))) | 0
  }
  return sum
}

const writtenOutTexts = new WeakMap<RegisteredSchema, string>()

/** The text with everything that it refers to in it. */
export function writtenOut(state: State, schema: RegisteredSchema): string {
  const known = writtenOutTexts.get(schema)
  if (known !== undefined) return known
  const text = schemaTypeNamed(schema.schemaType).resolvedText(parsedOf(state, schema))
  writtenOutTexts.set(schema, text)
  return text
}

function undated({ references, metadata, ruleSet }: Content): string {
  const { [VERSION_PROPERTY]: _version, ...properties } = metadata?.properties ?? {}
  const { tags = {}, sensitive = [] } = metadata ?? {}
  return JSON.stringify([references, tags, properties, sensitive, ruleSet ?? null])
}

/**
 * Soft-deleted versions of the same content make way for the new one, unless somebody still refers to them.
 * Their tombstones come after it in the log: so the content is never without a version, and its parsed schema stays the same object.
 */
function replaced(
  state: State,
  all: readonly Version[],
  { id, version: newest }: { readonly id: number; readonly version: number }
): Change[] {
  return all
    .filter(({ deleted, version, schema }) => deleted && version < newest && schema.id === id)
    .filter(version => referrersOf(state, version, true).length === 0)
    .map(({ subject, version }) => ({ type: 'tombstone', subject, version }))
}

function registered({ subject, version, schema }: Version): Registered {
  const { schemaType, text, references, metadata, ruleSet } = schema
  return {
    subject,
    version,
    id: schema.id,
    guid: guidOf(schema.fingerprint),
    content: { schemaType, text, references, metadata, ruleSet }
  }
}
