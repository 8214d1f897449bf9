/** `assay version`: which Assay, on which Node. */
import { Command } from 'commander'
import { formatOf, withSettings } from '../options.ts'
import { printFacts } from '../print.ts'
import { version } from '../version.ts'

export function versionCommand(): Command {
  const command = new Command('version').description('print the version of Assay and of the Node it runs on')
  return withSettings(command).action(() => {
    printFacts(
      { assay: version, node: process.versions.node, platform: `${process.platform}-${process.arch}` },
      formatOf(command)
    )
  })
}
