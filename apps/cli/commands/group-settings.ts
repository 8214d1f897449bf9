/** `assay group config|alter`: the settings of a group of the consumer protocol; it need not be there yet. */
import { Command } from 'commander'
import { withGroups } from '../group-access.ts'
import { formatOf, withSettings } from '../options.ts'
import { printFacts } from '../print.ts'
import {
  type ChangeOptions,
  changedFacts,
  changeFlags,
  editsOf,
  printConfigs,
  refuseNothing,
  type ShowOptions,
  showFlags
} from '../setting-flags.ts'

export function groupConfigCommand(): Command {
  const command = showFlags(new Command('config').description('what is set for a group').argument('<group>'))
  return withSettings(command).action(async (group: string, names: string[], options: ShowOptions) => {
    await withGroups(command, async ({ groups }) => {
      const unset = `Nobody has set anything for ${group}`
      printConfigs(command, await groups.configs(group), { names, options, of: 'a group', unset })
    })
  })
}

export function groupAlterCommand(): Command {
  const command = changeFlags(
    new Command('alter').description('change the settings of a group, all that are named or none').argument('<group>')
  )
  return withSettings(command).action(async (group: string, options: ChangeOptions) => {
    const edits = editsOf(options)
    refuseNothing(edits, '--set consumer.session.timeout.ms=30000')
    await withGroups(command, async ({ groups }) => {
      await groups.alter(group, edits, { dryRun: options.dryRun })
      printFacts({ group, ...(options.dryRun && { changed: false }), ...changedFacts(edits) }, formatOf(command))
    })
  })
}
