/** `assay register`: registers schema files, what they refer to first, and says of a refused one everything that is incompatible. */
import { Command } from 'commander'
import { exitCodes } from '../exit.ts'
import { printFindings } from '../findings.ts'
import { configOf, formatOf, withSettings } from '../options.ts'
import { printRows, say } from '../print.ts'
import { registryOf } from '../registry-access.ts'
import { registerAll } from '../schemas/registration.ts'
import { inRegistrationOrder } from '../schemas/registration-order.ts'
import { readSchemaFile, readSchemaFiles, type SchemaFile } from '../schemas/schema-folder.ts'
import { contextPrefix } from '../schemas/schema-ref.ts'

interface RegisterOptions {
  readonly subject?: string
  readonly dryRun: boolean
  readonly normalize: boolean
  readonly context?: string
}

export function registerCommand(): Command {
  const command = new Command('register')
    .description('register the schemas of files or folders, what they refer to first; exits with 100 when one is refused')
    .argument('[paths...]', 'files, or folders of <topic>/value.avsc (default: the schemas folder)')
    .option('--subject <name>', 'register the one file given under this subject')
    .option('--dry-run', 'register nothing, say what would happen', false)
    .option('--normalize', 'a schema that differs in form alone counts as the same', false)
    .option('--context <name>', 'register in this context of the registry')
  return withSettings(command, 'schemas').action(async (paths: string[], options: RegisterOptions) => {
    const { dryRun, normalize, subject, context } = options
    const config = configOf(command)
    const files = inRegistrationOrder(filesOf(paths, subject, config.schemas), { paths, schemas: config.schemas })
    const outcomes = await registerAll(registryOf(config), files, { dryRun, normalize, context: contextPrefix(context) })
    printRows(
      outcomes.map(({ findings, references, ...row }) => ({
        ...row,
        ...(references.length > 0 && { references }),
        ...(findings.length > 0 && { findings })
      })),
      ['subject', 'result', 'version', 'schemaId', 'file'],
      formatOf(command)
    )
    for (const [index, { file, findings }] of outcomes.entries()) printFindings(file, findings, files[index]!.text)
    if (dryRun && formatOf(command) === 'table') say('A dry run: nothing was registered.')
    if (outcomes.some(({ result }) => result === 'refused' || result === 'left out')) process.exitCode = exitCodes.findings
  })
}

/** The files of a call: those named, or the one under its subject, or the schemas folder. */
export function filesOf(paths: readonly string[], subject: string | undefined, folder: string): SchemaFile[] {
  if (subject !== undefined && paths.length === 1) return [readSchemaFile(paths[0]!, subject)]
  return readSchemaFiles(paths.length > 0 ? paths : [folder])
}
