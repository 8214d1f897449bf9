/** `assay register`: registers schema files, and says of a refused one everything that is incompatible. */
import { type RegistryClient, refusedWith, registryClient } from '@assay/client'
import { isAssayError } from '@assay/errors'
import { Command } from 'commander'
import { exitCodes } from '../exit.ts'
import { type Findings, printFindings } from '../findings.ts'
import { configOf, formatOf, withSettings } from '../options.ts'
import { printRows } from '../print.ts'
import { readSchemaFile, readSchemaFiles, type SchemaFile } from '../schema-folder.ts'

/** What registries answer for an incompatible schema: 40901 now, 409 in old releases. */
const INCOMPATIBLE = [40901, 409]
const INVALID_SCHEMA = 42201

interface Outcome {
  readonly subject: string
  readonly file: string
  readonly result: 'registered' | 'unchanged' | 'refused'
  readonly schemaId: number | null
  readonly version: number | null
  readonly findings: readonly Findings[]
}

export function registerCommand(): Command {
  const command = new Command('register')
    .description('register the schemas of files or folders')
    .argument('[paths...]', 'files, or folders of <topic>/value.avsc (default: the schemas folder)')
    .option('--subject <name>', 'register the one file given under this subject')
  return withSettings(command, 'schemas').action(async (paths: string[], options: { subject?: string }) => {
    const config = configOf(command)
    const registry = registryClient({ url: config.registry, timeoutMs: config.timeoutMs })
    const files = filesOf(paths, options.subject, config.schemas)
    const outcomes: Outcome[] = []
    for (const file of files) outcomes.push(await register(registry, file))
    printRows(
      outcomes.map(({ findings, ...row }) => ({ ...row, ...(findings.length > 0 && { findings }) })),
      ['subject', 'result', 'version', 'schemaId', 'file'],
      formatOf(command)
    )
    for (const [index, { file, findings }] of outcomes.entries()) printFindings(file, findings, files[index]!.text)
    if (outcomes.some(({ result }) => result === 'refused')) process.exitCode = exitCodes.findings
  })
}

/** The files of a call: those named, or the one under its subject, or the schemas folder. */
export function filesOf(paths: readonly string[], subject: string | undefined, folder: string): SchemaFile[] {
  if (subject !== undefined && paths.length === 1) return [readSchemaFile(paths[0]!, subject)]
  return readSchemaFiles(paths.length > 0 ? paths : [folder])
}

async function register(registry: RegistryClient, { file, subject, text }: SchemaFile): Promise<Outcome> {
  const known = await lookUp(registry, subject, text)
  if (known) return { subject, file, result: 'unchanged', schemaId: known.schemaId, version: known.version, findings: [] }
  try {
    const schemaId = await registry.register(subject, { schema: text })
    const registered = await lookUp(registry, subject, text)
    return { subject, file, result: 'registered', schemaId, version: registered?.version ?? null, findings: [] }
  } catch (error) {
    if (!refusedWith(error, INVALID_SCHEMA, ...INCOMPATIBLE) || !isAssayError(error, 'PEER_REFUSED')) throw error
    const findings = await explain(registry, subject, text)
    return {
      subject,
      file,
      result: 'refused',
      schemaId: null,
      version: null,
      findings: findings ?? [{ says: String(error.facts.reason) }]
    }
  }
}

/** A text that is no schema cannot be looked up; registering it says why. */
async function lookUp(registry: RegistryClient, subject: string, text: string) {
  try {
    return await registry.lookUp(subject, { schema: text })
  } catch (error) {
    if (refusedWith(error, INVALID_SCHEMA)) return undefined
    throw error
  }
}

async function explain(registry: RegistryClient, subject: string, text: string): Promise<readonly Findings[] | undefined> {
  const { findings, messages } = await registry.compatibility(subject, { schema: text }, { verbose: true })
  if (findings.length > 0) return findings
  return messages.length > 0 ? messages.map(says => ({ says })) : undefined
}
