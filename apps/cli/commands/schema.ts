/** `assay schema get|list|versions|find|delete|references|diff`: registered schemas, of any registry that speaks Confluent's API. */
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { canonicalText, parseSchema } from '@assay/avro'
import type { IdentifiedSchema, RegisteredVersion, RegistryClient } from '@assay/client'
import { topicPartOf } from '@assay/codegen'
import { AssayError, isAssayError } from '@assay/errors'
import { Command } from 'commander'
import { confirmed } from '../confirm.ts'
import { exitCodes } from '../exit.ts'
import { inParallel } from '../in-parallel.ts'
import { aboutSubject } from '../nearest-subject.ts'
import { configOf, formatOf, withSettings } from '../options.ts'
import { line, printFacts, printRows, say } from '../print.ts'
import { registryOf } from '../registry-access.ts'
import { indentJson } from '../schemas/json-indent.ts'
import { printDifference } from '../schemas/schema-diff.ts'
import { readSchemaFile } from '../schemas/schema-folder.ts'
import { contextOf, printRef, schemaRefOf, versionRefOf } from '../schemas/schema-ref.ts'
import { allVersions } from '../transfer/all-versions.ts'

const QUESTIONS_AT_ONCE = 8

export function schemaCommand(): Command {
  return new Command('schema')
    .description('read, find, compare and delete registered schemas')
    .addCommand(getCommand())
    .addCommand(listCommand())
    .addCommand(versionsCommand())
    .addCommand(findCommand())
    .addCommand(deleteCommand())
    .addCommand(referencesCommand())
    .addCommand(diffCommand())
}

interface GetOptions {
  readonly format?: string
  readonly text: boolean
  readonly deleted: boolean
  readonly subject?: string
}

function getCommand(): Command {
  const command = new Command('get')
    .description('print a schema by its ID, or by subject and version')
    .argument('<schema>', 'an ID, a subject (its latest version), or subject@version')
    .option('--format <format>', 'resolved: with every reference put in its place')
    .option('--text', 'the text alone, as it is registered', false)
    .option('--deleted', 'a soft-deleted version, too', false)
    .option('--subject <name>', 'for an ID: the subject it is looked up under; :.context: for the IDs of a context')
  return withSettings(command).action(async (name: string, options: GetOptions) => {
    const schema = await schemaNamed(registryOf(configOf(command)), name, options)
    if (options.text) return line(schema.schema)
    const format = formatOf(command)
    const { schema: text, ...facts } = rowOf(schema)
    if (format !== 'table') return printFacts({ ...facts, schema: text }, format)
    printFacts(facts, format)
    line('')
    line(shown(schema))
  })
}

/** One schema, by whatever it was named. */
async function schemaNamed(
  registry: RegistryClient,
  name: string,
  options: Omit<GetOptions, 'text'>
): Promise<IdentifiedSchema & { schemaId: number }> {
  const { format, deleted, subject } = options
  const ref = schemaRefOf(name)
  const asked = format === undefined ? {} : { format }
  if ('schemaId' in ref) {
    const found = await registry.identifiedSchema(ref.schemaId, { ...asked, ...(subject !== undefined && { subject }) })
    return { ...found, schemaId: ref.schemaId }
  }
  if (subject !== undefined)
    throw new AssayError('INVALID_ARGUMENT', { reason: `--subject goes with an ID; ${name} names a subject` })
  return aboutSubject(registry, ref.subject, () => registry.version(ref.subject, ref.version, { ...asked, deleted }))
}

function listCommand(): Command {
  const command = new Command('list')
    .description('list the versions of every subject')
    .option('--prefix <text>', 'only subjects that begin so; :*: for those of every context')
    .option('--deleted', 'soft-deleted versions, too', false)
    .option('--latest', 'only the latest version of each subject', false)
  return withSettings(command).action(async (options: { prefix?: string; deleted: boolean; latest: boolean }) => {
    const { prefix, deleted, latest: latestOnly } = options
    const rows = (await allVersions(registryOf(configOf(command)), { prefix, deleted, latestOnly })).map(rowOf)
    if (rows.length === 0 && formatOf(command) === 'table') say('There is no schema.')
    printRows(rows, ['subject', 'version', 'schemaId', ...(deleted ? ['deleted'] : [])], formatOf(command))
  })
}

function versionsCommand(): Command {
  const command = new Command('versions')
    .description('list the versions of a subject')
    .argument('<subject>')
    .option('--deleted', 'soft-deleted versions, too', false)
  return withSettings(command).action(async (subject: string, { deleted }: { deleted: boolean }) => {
    const registry = registryOf(configOf(command))
    const versions = await aboutSubject(registry, subject, () => versionsOf(registry, subject, { deleted }))
    printRows(versions.map(rowOf), ['version', 'schemaId', ...(deleted ? ['deleted'] : []), 'guid'], formatOf(command))
  })
}

/** Every version of a subject, with its schema. */
export async function versionsOf(
  registry: RegistryClient,
  subject: string,
  { deleted }: { readonly deleted: boolean }
): Promise<RegisteredVersion[]> {
  const numbers = await registry.versions(subject, { deleted })
  const live = deleted ? new Set(await registry.versions(subject).catch(() => [])) : undefined
  const versions = await inParallel(numbers, QUESTIONS_AT_ONCE, version => registry.version(subject, version, { deleted }))
  // Not every registry says of a version that it is soft-deleted.
  return versions.map(version => (live ? { ...version, deleted: !live.has(version.version) } : version))
}

function findCommand(): Command {
  const command = new Command('find')
    .description('find the version of a subject that has the schema of a file; exits with 1 when none has')
    .argument('<file>')
    .option('--subject <name>', 'the subject, when the path is not <topic>/value.avsc')
    .option('--normalize', 'find a schema that differs in form alone', false)
    .option('--deleted', 'among soft-deleted versions, too', false)
  return withSettings(command).action(
    async (file: string, options: { subject?: string; normalize: boolean; deleted: boolean }) => {
      const { normalize, deleted, subject = topicPartOf(resolve(file))?.subject } = options
      if (subject === undefined) {
        throw new AssayError('INVALID_ARGUMENT', {
          reason: `${file}: its path does not tell the subject; name it with --subject`
        })
      }
      const { text } = readSchemaFile(file, subject)
      const found = await registryOf(configOf(command)).lookUp(subject, { schema: text }, { normalize, deleted })
      if (found)
        return printFacts({ file, subject: found.subject, version: found.version, schemaId: found.schemaId }, formatOf(command))
      say(`No version of ${subject} has the schema of ${file}.`)
      process.exitCode = exitCodes.failure
    }
  )
}

function deleteCommand(): Command {
  const command = new Command('delete')
    .description('delete a version: softly, so that its ID goes on to be answered, or after that for ever')
    .argument('<version>', 'subject@version')
    .option('--permanent', 'take a soft-deleted version away for ever', false)
    .option('-y, --yes', 'do not ask', false)
  return withSettings(command).action(async (name: string, options: { permanent: boolean; yes: boolean }) => {
    const ref = versionRefOf(name)
    const registry = registryOf(configOf(command))
    const how = options.permanent ? 'for ever' : 'softly'
    if (!(await confirmed(`Delete ${printRef(ref)} ${how}?`, options))) return
    const version = await aboutSubject(registry, ref.subject, () => registry.deleteVersion(ref.subject, ref.version, options))
    printFacts({ subject: ref.subject, version, deleted: options.permanent ? 'permanently' : 'softly' }, formatOf(command))
  })
}

function referencesCommand(): Command {
  const command = new Command('references')
    .description('list the schemas that refer to a version')
    .argument('<version>', 'subject@version')
    .option('--deleted', 'soft-deleted ones, too', false)
  return withSettings(command).action(async (name: string, { deleted }: { deleted: boolean }) => {
    const { subject, version } = versionRefOf(name)
    const registry = registryOf(configOf(command))
    const ids = await aboutSubject(registry, subject, () => registry.referencedBy(subject, version, { deleted }))
    const context = contextOf(subject)
    const under = await inParallel(ids, QUESTIONS_AT_ONCE, schemaId =>
      registry.versionsById(schemaId, { deleted, ...(context !== '' && { subject: context }) })
    )
    const rows = under.flatMap((versions, index) => versions.map(version => ({ ...version, schemaId: ids[index] })))
    if (rows.length === 0 && formatOf(command) === 'table') say(`Nothing refers to ${name}.`)
    printRows(rows, ['subject', 'version', 'schemaId'], formatOf(command))
  })
}

function diffCommand(): Command {
  const command = new Command('diff')
    .description('compare two schemas line by line; exits with 100 when they differ')
    .argument('<before>', 'an ID, a subject, subject@version, or a file')
    .argument('<after>', 'the same')
  return withSettings(command).action(async (before: string, after: string) => {
    const registry = registryOf(configOf(command))
    const [left, right] = [await textOf(registry, before), await textOf(registry, after)]
    if (printDifference({ name: before, text: left }, { name: after, text: right }, formatOf(command)))
      process.exitCode = exitCodes.findings
  })
}

async function textOf(registry: RegistryClient, name: string): Promise<string> {
  return existsSync(name) ? fileText(name) : shown(await schemaNamed(registry, name, { deleted: true }))
}

/** As it would be registered: how it is written makes no difference. */
function fileText(file: string): string {
  const text = readFileSync(file, 'utf8')
  try {
    return indentJson(canonicalText(parseSchema(text)))
  } catch (error) {
    // It uses types of other files, or is not Avro.
    if (isAssayError(error, 'INVALID_SCHEMA')) return indentJson(text)
    throw error
  }
}

/** Avro and JSON Schema are JSON; others are shown as they are. */
const shown = ({ schema, schemaType }: Pick<RegisteredVersion, 'schema' | 'schemaType'>): string =>
  schemaType === 'PROTOBUF' ? schema : indentJson(schema)

/** In the order in which it is read; what is not there left out. */
function rowOf({
  subject,
  version,
  schemaId,
  guid,
  schemaType = 'AVRO',
  references,
  metadata,
  ruleSet,
  ...rest
}: IdentifiedSchema & {
  readonly schemaId: number
  readonly deleted?: boolean
}) {
  return {
    ...(subject !== undefined && { subject }),
    ...(version !== undefined && { version }),
    schemaId,
    ...(guid !== undefined && { guid }),
    schemaType,
    ...(references && { references }),
    ...(metadata && { metadata }),
    ...(ruleSet && { ruleSet }),
    ...(rest.deleted !== undefined && { deleted: rest.deleted }),
    schema: rest.schema
  }
}
