/** `assay group list|describe|config|alter|reset-offsets|delete-offsets|delete`: consumer groups over the Kafka protocol, of any broker. */
import { AssayError } from '@assay/errors'
import { Command } from 'commander'
import { confirmed } from '../confirm.ts'
import { assertEmpty, collectScopes, type GroupDoors, offsetsOfTopics, type TopicScope, withGroups } from '../group-access.ts'
import { formatOf, withSettings } from '../options.ts'
import { line, printFacts, printRows, say } from '../print.ts'
import { groupResetCommand } from './group-reset.ts'
import { groupAlterCommand, groupConfigCommand } from './group-settings.ts'

export function groupCommand(): Command {
  return new Command('group')
    .description('list, describe, set and delete consumer groups, and move their offsets')
    .addCommand(listCommand())
    .addCommand(describeCommand())
    .addCommand(groupConfigCommand())
    .addCommand(groupAlterCommand())
    .addCommand(groupResetCommand())
    .addCommand(deleteOffsetsCommand())
    .addCommand(deleteCommand())
}

function listCommand(): Command {
  const command = new Command('list')
    .description('list consumer groups')
    .option('--state <state>', 'only groups in this state, such as Stable or Empty')
    .option('--type <type>', 'only groups of this protocol: classic or consumer')
  return withSettings(command).action(async (options: { state?: string; type?: string }) => {
    const is = (value: string, wanted?: string): boolean => wanted === undefined || value.toLowerCase() === wanted.toLowerCase()
    await withGroups(command, async ({ groups }) => {
      const found = (await groups.list()).filter(({ state, type }) => is(state, options.state) && is(type, options.type))
      if (found.length === 0 && formatOf(command) === 'table') say('There is no such group.')
      const rows = found.map(({ name, type, state, protocolType }) => ({ group: name, type, state, protocol: protocolType }))
      printRows(rows, ['group', 'type', 'state', 'protocol'], formatOf(command))
    })
  })
}

function describeCommand(): Command {
  const command = new Command('describe')
    .description('state, members and lag of a group, the lag in records and in seconds')
    .argument('<group>')
  return withSettings(command).action(async (name: string) => {
    await withGroups(command, async doors => {
      const { members, ...group } = await doors.groups.describe(name)
      const lag = await lagOf(doors, name)
      const format = formatOf(command)
      const told = members.map(({ partitions, ...member }) => ({
        member: member.memberId,
        instance: member.instanceId,
        client: member.clientId,
        host: member.host,
        epoch: member.epoch,
        partitions: partitions.map(({ topic, partition }) => `${topic}:${partition}`).join(' ')
      }))
      const facts = {
        group: name,
        type: group.type,
        state: group.state,
        assignor: group.assignor,
        ...(group.epoch === null ? {} : { epoch: group.epoch })
      }
      if (format !== 'table') return printFacts({ ...facts, members: told, offsets: lag }, format)
      printFacts(facts, format)
      if (told.length > 0) {
        line('')
        printRows(told, ['member', 'instance', 'client', 'host', 'epoch', 'partitions'], format)
      }
      if (lag.length === 0) return
      line('')
      printRows(lag, ['topic', 'partition', 'committed', 'end', 'lag', 'seconds'], format)
    })
  })
}

/** Seconds are the age of the first record that the group has not read; 0 when it has read them all. */
async function lagOf(doors: GroupDoors, group: string) {
  const offsetsAt = offsetsOfTopics(doors)
  const rows: { topic: string; partition: number; committed: number; end: number; lag: number; seconds: number | null }[] = []
  for (const { topic, partition, offset } of await doors.groups.offsets(group)) {
    const end = (await offsetsAt(topic, -1n)).get(partition) ?? offset
    const lag = end > offset ? Number(end - offset) : 0
    const time = lag === 0 ? undefined : await doors.groups.times.at(topic, partition, offset)
    const seconds = lag === 0 ? 0 : time === undefined ? null : Math.max(0, Math.round((Date.now() - time) / 1000))
    rows.push({ topic, partition, committed: Number(offset), end: Number(end), lag, seconds })
  }
  return rows
}

function deleteOffsetsCommand(): Command {
  const command = new Command('delete-offsets')
    .description('forget the committed offsets of topics that the group does not read')
    .argument('<group>')
    .requiredOption('--topic <topic>', 'a topic, or partitions of it as in orders:0,3 (repeatable)', collectScopes, [])
    .option('--yes', 'do not ask', false)
  return withSettings(command).action(async (group: string, options: { topic: readonly TopicScope[]; yes: boolean }) => {
    await withGroups(command, async ({ groups }) => {
      const isWanted = ({ topic, partition }: { topic: string; partition: number }): boolean =>
        options.topic.some(one => one.topic === topic && (one.partitions === undefined || one.partitions.includes(partition)))
      const there = (await groups.offsets(group)).filter(isWanted)
      if (there.length === 0) {
        throw new AssayError('INVALID_ARGUMENT', { reason: `group ${group} has no committed offset there` })
      }
      const which = there.map(({ topic, partition }) => `${topic}:${partition}`).join(' ')
      if (!(await confirmed(`Delete the offsets of group ${group} in ${which}?`, options))) return
      await groups.deleteOffsets(group, there)
      const rows = there.map(({ topic, partition, offset }) => ({ topic, partition, deleted: Number(offset) }))
      printRows(rows, ['topic', 'partition', 'deleted'], formatOf(command))
    })
  })
}

function deleteCommand(): Command {
  const command = new Command('delete')
    .description('delete a group that nobody is in, and its offsets')
    .argument('<group>')
    .option('--yes', 'do not ask', false)
  return withSettings(command).action(async (group: string, options: { yes: boolean }) => {
    await withGroups(command, async doors => {
      await assertEmpty(doors, group)
      if (!(await confirmed(`Delete group ${group} and its offsets?`, options))) return
      await doors.groups.delete(group)
      printFacts({ deleted: group }, formatOf(command))
    })
  })
}
