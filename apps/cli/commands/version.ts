/** `assay version`: which Assay, on which Node. */
import { Command } from 'commander'
import { formatOf, withSettings } from '../options.ts'
import manifest from '../package.json' with { type: 'json' }
import { printFacts } from '../print.ts'

export const version: string = manifest.version

export function versionCommand(): Command {
  const command = new Command('version').description('print the version of Assay and of the Node it runs on')
  return withSettings(command).action(() => {
    printFacts(
      { assay: version, node: process.versions.node, platform: `${process.platform}-${process.arch}` },
      formatOf(command)
    )
  })
}
