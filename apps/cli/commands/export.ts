/** `assay export`: what a registry holds as records of `_schemas`, one a line, IDs and versions kept; for `assay import`, here or elsewhere. */
import { writeFileSync } from 'node:fs'
import { AssayError } from '@assay/errors'
import { Command } from 'commander'
import { brokerOf } from '../broker-access.ts'
import { configOf, formatOf, withSettings } from '../options.ts'
import { printFacts, say } from '../print.ts'
import { progressBar } from '../progress-bar.ts'
import { registryOf } from '../registry-access.ts'
import type { Snapshot } from '../transfer/snapshot.ts'
import { linesOf } from '../transfer/snapshot-file.ts'
import { snapshotOfRegistry, snapshotOfTopic } from '../transfer/snapshot-sources.ts'

interface ExportOptions {
  readonly file?: string
  readonly subjectPrefix: string
  readonly deleted: boolean
  readonly topic?: string
}

export function exportCommand(): Command {
  const command = new Command('export')
    .description('write schemas, settings and modes as JSON lines, with their IDs; by REST from any registry, or from its topic')
    .option('-f, --file <file>', 'where to write (default: stdout)')
    .option('--subject-prefix <text>', 'only subjects that begin so, and no settings of the whole registry', '')
    .option('--deleted', 'soft-deleted versions, too', false)
    .option('--topic <name>', 'read this topic of --bootstrap, such as _schemas, instead of asking the registry')
  return withSettings(command).action(async (options: ExportOptions) => {
    const snapshot = await snapshotFor(command, options)
    const text = [...linesOf(snapshot)].join('')
    if (options.file === undefined) {
      process.stdout.write(text)
      return
    }
    try {
      writeFileSync(options.file, text)
    } catch (error) {
      throw new AssayError('INVALID_ARGUMENT', { reason: `${options.file}: ${(error as Error).message}` }, { cause: error })
    }
    const { versions, configs, modes } = snapshot
    const subjects = new Set(versions.map(({ subject }) => subject)).size
    printFacts(
      { file: options.file, subjects, versions: versions.length, configs: configs.length, modes: modes.length },
      formatOf(command)
    )
  })
}

function snapshotFor(command: Command, { topic, subjectPrefix: prefix, deleted }: ExportOptions): Promise<Snapshot> {
  const config = configOf(command)
  if (topic === undefined) {
    return snapshotOfRegistry(registryOf(config), { prefix, deleted }, total => progressBar('subjects asked for settings', total))
  }
  return snapshotOfTopic({ topic, ...brokerOf(config) }, { prefix, deleted }, ({ place, reason }) =>
    say(`passed over ${place}: ${reason}`)
  )
}
