/** `assay backup DIR`: a backup of a running server, as of the moment of the call. */
import { openBackup } from '@assay/client'
import { logTools, type Manifest } from '@assay/log'
import { Command } from 'commander'
import { outputOf, type WorkOptions, withProgress } from '../offline/output.ts'
import { configOf, withSettings } from '../options.ts'
import { printFacts } from '../print.ts'
import { registryAccess } from '../registry-access.ts'
import { workProgress } from '../work-progress.ts'

export function backupCommand(): Command {
  const command = withProgress(new Command('backup'))
    .description('store all that a running server has acknowledged, topics and schemas, in a new directory')
    .argument('<directory>', 'made now; it may be there when it is empty')
  return withSettings(command).action(async (directory: string, options: WorkOptions) => {
    const { format, mode } = outputOf(command, options)
    const { makeDirectory, receiveBackup } = await logTools()
    const access = registryAccess(configOf(command))
    const progress = workProgress('records stored', mode, { shown: String })
    let manifest: Manifest | undefined
    try {
      await makeDirectory(directory, 'receiving', async inner => {
        manifest = await receiveBackup(await openBackup(access), inner, progress.report)
      })
    } finally {
      progress.end()
    }
    printFacts({ directory, ...factsOf(manifest!) }, format)
  })
}

/** What a backup holds, in numbers. */
export function factsOf({ clusterId, takenAtMs, partitions }: Manifest) {
  const sum = (value: (partition: Manifest['partitions'][number]) => number): number =>
    partitions.reduce((total, partition) => total + value(partition), 0)
  return {
    ...{ clusterId, takenAt: new Date(takenAtMs).toISOString(), partitions: partitions.length },
    batches: sum(({ batches }) => batches),
    bytes: sum(({ bytes }) => bytes)
  }
}
