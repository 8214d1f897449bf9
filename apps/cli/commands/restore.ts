/** `assay restore BACKUP DATA`: a data directory out of a backup, whole or not at all. */
import { logTools } from '@assay/log'
import { systemClock } from '@assay/std'
import { Command } from 'commander'
import { writeClusterId } from '../data-files.ts'
import { outputOf, type WorkOptions, withProgress } from '../offline/output.ts'
import { withSettings } from '../options.ts'
import { printFacts } from '../print.ts'
import { workProgress } from '../work-progress.ts'
import { factsOf } from './backup.ts'

export function restoreCommand(): Command {
  const command = withProgress(new Command('restore'))
    .description('make a data directory out of a backup, checking every byte on its way')
    .argument('<backup>', 'what assay backup wrote')
    .argument('<data>', 'the data directory, made now; it may be there when it is empty')
  return withSettings(command).action(async (backup: string, data: string, options: WorkOptions) => {
    const { format, mode } = outputOf(command, options)
    const { makeDirectory, readManifest, restoreLog } = await logTools()
    const manifest = await readManifest(backup)
    const progress = workProgress('restored', mode)
    try {
      await makeDirectory(data, 'restoring', async inner => {
        await restoreLog(backup, manifest, inner, { clock: systemClock, onProgress: progress.report })
        writeClusterId(inner, manifest.clusterId)
      })
    } finally {
      progress.end()
    }
    printFacts({ directory: data, ...factsOf(manifest) }, format)
  })
}
