/** `assay check`: what registering would say, without registering; against a registry, a folder, or a git revision. */
import {
  type CompatibilityLevel,
  canonicalText,
  checkLevel,
  compatibilityLevels,
  type EarlierVersion,
  parseLevel,
  parseSchema
} from '@assay/avro'
import { refusedWith } from '@assay/client'
import type { Config } from '@assay/config'
import { AssayError, isAssayError } from '@assay/errors'
import { Command } from 'commander'
import pc from 'picocolors'
import { exitCodes } from '../exit.ts'
import { type Findings, printFindings } from '../findings.ts'
import { configOf, formatOf, withSettings } from '../options.ts'
import { printRows, say } from '../print.ts'
import { registryOf } from '../registry-access.ts'
import { type Baseline, baselineOf } from '../schemas/baseline.ts'
import type { SchemaFile } from '../schemas/schema-folder.ts'
import { filesOf } from './register.ts'

interface Checked {
  readonly subject: string
  readonly file: string
  readonly verdict: 'compatible' | 'incompatible' | 'invalid' | 'new' | 'unchanged'
  readonly level: string
  readonly findings: readonly Findings[]
}

type Check = (file: SchemaFile) => Promise<Checked>

interface CheckOptions {
  readonly subject?: string
  readonly against: string
  readonly level?: string
}

const SUBJECT_NOT_FOUND = 40401
const VERSION_NOT_FOUND = 40402
const DEFAULT_LEVEL: CompatibilityLevel = 'BACKWARD'

export function checkCommand(): Command {
  const command = new Command('check')
    .description('check schemas for compatibility without registering them; exits with 100 when one is incompatible')
    .argument('[paths...]', 'files, or folders of <topic>/value.avsc (default: the schemas folder)')
    .option('--subject <name>', 'check the one file given under this subject')
    .option(
      '--against <where>',
      'registry, git:<revision> (merge base; git:<revision>! for its tip), dir:<folder>, file:<schema>',
      'registry'
    )
    .option('--level <level>', `compatibility level; with a registry its own level is used (default: ${DEFAULT_LEVEL} elsewhere)`)
  return withSettings(command, 'schemas').action(async (paths: string[], options: CheckOptions) => {
    const started = performance.now()
    const config = configOf(command)
    const level = levelOf(options.level)
    const files = filesOf(paths, options.subject, config.schemas)
    const check =
      options.against === 'registry' ? againstRegistry(config, level) : againstBaseline(baselineOf(options.against), level)
    const results: Checked[] = []
    for (const file of files) results.push(await check(file))
    const rows = results.map(({ findings, ...row }) => ({ ...row, ...(formatOf(command) !== 'table' && { findings }) }))
    printRows(rows, ['subject', 'verdict', 'level', 'file'], formatOf(command))
    for (const [index, { file, findings }] of results.entries()) printFindings(file, findings, files[index]!.text)
    const bad = results.filter(({ verdict }) => verdict === 'incompatible' || verdict === 'invalid').length
    const verdict = bad > 0 ? pc.red(`${bad} of ${results.length} schemas refused`) : pc.green(`${results.length} schemas pass`)
    say(
      `${verdict} (${Math.round(performance.now() - started)} ms, against ${options.against === 'registry' ? config.registry : options.against})`
    )
    if (bad > 0) process.exitCode = exitCodes.findings
  })
}

function levelOf(text: string | undefined): CompatibilityLevel | undefined {
  if (text === undefined) return undefined
  const level = parseLevel(text)
  if (!level) throw new AssayError('INVALID_ARGUMENT', { reason: `--level ${text}: one of ${compatibilityLevels.join(', ')}` })
  return level
}

/** Asks the registry itself, so that the answer is what registering would get. A level given by hand is checked here, on the registry's versions. */
function againstRegistry(config: Config, level: CompatibilityLevel | undefined): Check {
  const registry = registryOf(config)
  const versionsOf = async (subject: string): Promise<number[]> => {
    try {
      return await registry.versions(subject)
    } catch (error) {
      if (refusedWith(error, SUBJECT_NOT_FOUND, VERSION_NOT_FOUND)) return []
      throw error
    }
  }
  return async file => {
    const { subject, text } = file
    const inForce = level ?? (await registry.compatibilityLevel(subject))
    const facts = { subject, file: file.file, level: inForce }
    const invalid = invalidity(text)
    if (invalid) return { ...facts, verdict: 'invalid', findings: [invalid] }
    const versions = await versionsOf(subject)
    if (versions.length === 0) return { ...facts, verdict: 'new', findings: [] }
    if (await registry.lookUp(subject, { schema: text })) return { ...facts, verdict: 'unchanged', findings: [] }
    if (level !== undefined) {
      const registered = await Promise.all(versions.map(version => registry.version(subject, version)))
      const earlier = registered.map(({ version, schema }) => earlierVersion(version, schema))
      return verdictOf(facts, checkLevel(level, parseSchema(text), earlier))
    }
    const { isCompatible, findings, messages } = await registry.compatibility(subject, { schema: text }, { verbose: true })
    if (isCompatible) return { ...facts, verdict: 'compatible', findings: [] }
    return { ...facts, verdict: 'incompatible', findings: findings.length > 0 ? findings : messages.map(says => ({ says })) }
  }
}

/** Without a registry: the same rules on what the baseline holds. */
function againstBaseline(baseline: Baseline, level: CompatibilityLevel = DEFAULT_LEVEL): Check {
  return async ({ subject, file, text }) => {
    const facts = { subject, file, level }
    const invalid = invalidity(text)
    if (invalid) return { ...facts, verdict: 'invalid', findings: [invalid] }
    const before = baseline.textOf(file, subject)
    if (before === undefined) return { ...facts, verdict: 'new', findings: [] }
    const earlier = earlierVersion(1, before)
    const candidate = parseSchema(text)
    if (canonicalText(candidate) === earlier.text) return { ...facts, verdict: 'unchanged', findings: [] }
    return verdictOf(facts, checkLevel(level, candidate, [earlier]))
  }
}

function earlierVersion(version: number, text: string): EarlierVersion {
  // Registered once, under the rules of its day: its defaults are not ours to judge now.
  const schema = parseSchema(text, { validateDefaults: false })
  return { version, schema, text: canonicalText(schema) }
}

function verdictOf(facts: Omit<Checked, 'verdict' | 'findings'>, findings: readonly Findings[]): Checked {
  return { ...facts, verdict: findings.length > 0 ? 'incompatible' : 'compatible', findings }
}

function invalidity(text: string): Findings | undefined {
  try {
    parseSchema(text)
    return undefined
  } catch (error) {
    if (!isAssayError(error, 'INVALID_SCHEMA')) throw error
    return { type: 'INVALID_SCHEMA', says: String(error.facts.reason) }
  }
}
