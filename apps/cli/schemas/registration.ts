/** Registers one schema file, or says what registering it would do; of a refused one everything that is incompatible. */
import { canonicalText, checkLevel, levelWarnings, parseSchema, type Schema } from '@assay/avro'
import { type Reference, type RegisteredVersion, type RegistryClient, refusedWith, type SchemaText } from '@assay/client'
import { isAssayError } from '@assay/errors'
import type { Findings } from '../findings.ts'
import { inParallel } from '../in-parallel.ts'
import type { Registrable } from './registration-order.ts'

export interface Outcome {
  readonly subject: string
  readonly file: string
  /** `new` and `new version` are what a dry run says where a registration says `registered`; `left out` is what refers to a refused one. */
  readonly result: 'registered' | 'new' | 'new version' | 'unchanged' | 'refused' | 'left out'
  readonly schemaId: number | null
  readonly version: number | null
  readonly references: readonly Reference[]
  /** Of a refused one why; of a new version, in a dry run, what is let through although it is doubtful. */
  readonly findings: readonly Findings[]
}

export interface RegistrationOptions {
  readonly dryRun: boolean
  readonly normalize: boolean
  /** `:.name:`, or empty for the default context. */
  readonly context: string
}

/** What registries answer for an incompatible schema: 40901 now, 409 in old releases. */
const INCOMPATIBLE = [40901, 409]
const INVALID_SCHEMA = 42201
const SUBJECT_NOT_FOUND = 40401
const QUESTIONS_AT_ONCE = 8

/** The outcomes of the files, in their order: whatever a file uses must come before it. */
export async function registerAll(
  registry: RegistryClient,
  files: readonly Registrable[],
  options: RegistrationOptions
): Promise<Outcome[]> {
  const outcomes = new Map<Registrable, Outcome>()
  for (const file of files) {
    const outcome = await settle(registry, file, outcomes, options)
    outcomes.set(file, outcome)
  }
  return [...outcomes.values()]
}

async function settle(
  registry: RegistryClient,
  file: Registrable,
  outcomes: ReadonlyMap<Registrable, Outcome>,
  options: RegistrationOptions
): Promise<Outcome> {
  const used = file.uses.map(use => ({ ...use, outcome: outcomes.get(use.file)! }))
  const references = used.map(({ name, file: { subject }, outcome }) => ({ name, subject, version: outcome.version ?? 0 }))
  // A plain name in a reference stands in the context of what refers to it.
  const subject = options.context + file.subject
  const facts: Outcome = {
    subject,
    file: file.file,
    result: 'left out',
    schemaId: null,
    version: null,
    references,
    findings: []
  }
  const missing = used.find(({ outcome }) => outcome.result === 'refused' || outcome.result === 'left out')
  if (missing) {
    const says = `it uses ${missing.name} of ${missing.file.file}, which was not registered`
    return { ...facts, findings: [{ type: 'LEFT_OUT', says }] }
  }
  const text = { schema: file.text, references }
  const isThere = used.every(({ outcome }) => outcome.result === 'unchanged' || outcome.result === 'registered')
  const known = isThere ? await lookUp(registry, subject, text, options) : undefined
  if (known) return { ...facts, result: 'unchanged', schemaId: known.schemaId, version: known.version }
  const rest = await (options.dryRun
    ? preview(registry, { file, subject, text, isThere }, options)
    : register(registry, subject, text, options))
  return { ...facts, ...rest }
}

type Rest = Pick<Outcome, 'result'> & Partial<Pick<Outcome, 'schemaId' | 'version' | 'findings'>>

async function register(
  registry: RegistryClient,
  subject: string,
  text: SchemaText,
  options: RegistrationOptions
): Promise<Rest> {
  try {
    const { schemaId, version } = await registry.registerVersion(subject, text, { normalize: options.normalize })
    // Old registries answer the ID alone.
    return {
      result: 'registered',
      schemaId,
      version: version ?? (await lookUp(registry, subject, text, options))?.version ?? null
    }
  } catch (error) {
    if (!refusedWith(error, INVALID_SCHEMA, ...INCOMPATIBLE) || !isAssayError(error, 'PEER_REFUSED')) throw error
    const { findings } = await explain(registry, subject, text, options)
    return { result: 'refused', findings: findings.length > 0 ? findings : [{ says: String(error.facts.reason) }] }
  }
}

/** A text that is no schema cannot be looked up; registering it says why. */
async function lookUp(
  registry: RegistryClient,
  subject: string,
  text: SchemaText,
  { normalize }: RegistrationOptions
): Promise<RegisteredVersion | undefined> {
  try {
    return await registry.lookUp(subject, text, { normalize })
  } catch (error) {
    if (refusedWith(error, INVALID_SCHEMA)) return undefined
    throw error
  }
}

interface Verdict {
  /** Why it is refused; none when it is not. */
  readonly findings: readonly Findings[]
  readonly warnings: readonly Findings[]
}

/** What the registry says of it. */
async function explain(
  registry: RegistryClient,
  subject: string,
  text: SchemaText,
  { normalize }: RegistrationOptions
): Promise<Verdict> {
  const verdict = await registry.compatibility(subject, text, { verbose: true, normalize })
  const findings = verdict.findings.length > 0 ? verdict.findings : verdict.messages.map(says => ({ says }))
  return { findings: verdict.isCompatible ? [] : findings, warnings: verdict.warnings.map(asWarning) }
}

const asWarning = (warning: Findings): Findings => ({ ...warning, isWarning: true })

interface Candidate {
  readonly file: Registrable
  readonly subject: string
  readonly text: SchemaText
  /** Whether what it refers to is registered; if not, the registry cannot judge it, and the same rules are applied here. */
  readonly isThere: boolean
}

async function preview(
  registry: RegistryClient,
  { file, subject, text, isThere }: Candidate,
  options: RegistrationOptions
): Promise<Rest> {
  const invalid = invalidity(file)
  if (invalid) return { result: 'refused', findings: [invalid] }
  const versions = await versionsOf(registry, subject)
  if (versions.all.length === 0) return { result: 'new', version: 1 }
  const { findings, warnings } = isThere
    ? await explain(registry, subject, text, options)
    : await judge(registry, { subject, candidate: parsed(file), live: versions.live })
  if (findings.length > 0) return { result: 'refused', findings }
  return { result: 'new version', version: Math.max(...versions.all) + 1, findings: warnings }
}

async function versionsOf(
  registry: RegistryClient,
  subject: string
): Promise<{ readonly all: number[]; readonly live: number[] }> {
  const list = async (deleted: boolean): Promise<number[]> => {
    try {
      return await registry.versions(subject, { deleted })
    } catch (error) {
      if (refusedWith(error, SUBJECT_NOT_FOUND)) return []
      throw error
    }
  }
  return { all: await list(true), live: await list(false) }
}

async function judge(
  registry: RegistryClient,
  { subject, candidate, live }: { readonly subject: string; readonly candidate: Schema; readonly live: readonly number[] }
): Promise<Verdict> {
  const level = await registry.compatibilityLevel(subject)
  const earlier = await inParallel(live, QUESTIONS_AT_ONCE, async version => {
    const schema = await registry.parsedVersion(subject, version)
    return { version, schema, text: canonicalText(schema) }
  })
  return { findings: checkLevel(level, candidate, earlier), warnings: levelWarnings(level, candidate, earlier).map(asWarning) }
}

function invalidity(file: Registrable): Findings | undefined {
  try {
    parsed(file)
    return undefined
  } catch (error) {
    if (!isAssayError(error, 'INVALID_SCHEMA')) throw error
    return { type: 'INVALID_SCHEMA', says: String(error.facts.reason) }
  }
}

/** With the files that it uses, and those that they use. */
function parsed(file: Registrable): Schema {
  const scope = new Map<Registrable, Schema>()
  const read = (one: Registrable): Schema => {
    for (const { file: used } of one.uses) if (!scope.has(used)) scope.set(used, read(used))
    return parseSchema(one.text, { references: [...scope.values()] })
  }
  return read(file)
}
