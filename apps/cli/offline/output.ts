/** Findings as people and programs read them, and the flags that the verbs on directories share. */
import type { Examination, Finding, Loss, PartitionKey } from '@assay/log'
import { type Command, Option } from 'commander'
import pc from 'picocolors'
import { formatOf } from '../options.ts'
import { line, type Row } from '../print.ts'
import { type ProgressMode, progressModes } from '../work-progress.ts'

export interface WorkOptions {
  readonly json: boolean
  readonly progress: ProgressMode
}

export const withProgress = (command: Command): Command =>
  command
    .option('--json', 'the result as JSON, and while nobody looks on, progress as JSON lines on stderr', false)
    .addOption(
      new Option('--progress <how>', 'a bar on a terminal, JSON lines on stderr, or nothing')
        .choices(progressModes)
        .default('auto')
    )

export function outputOf(command: Command, { json, progress }: WorkOptions) {
  const format = json ? 'json' : formatOf(command)
  const isQuiet = progress === 'auto' && json && !process.stderr.isTTY
  return { format, mode: isQuiet ? 'json' : progress } as const
}

export type TopicNames = ReadonlyMap<string, string>

export const partitionName = ({ topicId, partition }: PartitionKey, names: TopicNames): string =>
  `${names.get(topicId) ?? topicId}-${partition}`

/** With the names of topics in the place of their IDs, and nothing left out. */
export const findingRow = ({ partition, ...finding }: Finding, names: TopicNames): Row => ({
  ...finding,
  ...(partition && { topic: names.get(partition.topicId) ?? null, topicId: partition.topicId, partition: partition.partition })
})

export const lossRow = ({ partition, ...loss }: Loss, names: TopicNames): Row => ({
  ...{ topic: names.get(partition.topicId) ?? null, topicId: partition.topicId, partition: partition.partition },
  ...loss
})

export function printFinding(finding: Finding, names: TopicNames): void {
  const { severity, says, advice, file, at, partition, from, to } = finding
  const places = [
    partition && `partition ${partitionName(partition, names)}`,
    from !== undefined && to !== undefined && `offsets ${from} to ${to}`,
    file,
    at !== undefined && `byte ${at}`
  ]
  line(`${severity === 'damage' ? pc.red(severity) : pc.yellow(severity)}  ${says}`)
  line(pc.dim(`  where  ${places.filter(Boolean).join(', ') || 'the log'}`))
  line(pc.dim(`  do     ${advice}`))
}

export function printLoss({ partition, from, to, records, bytes }: Loss, names: TopicNames): void {
  const size = bytes === undefined ? 'of unknown size' : `${bytes} bytes`
  line(`${pc.red('lost')}  ${partitionName(partition, names)} offsets ${from} to ${to}: at most ${records} records, ${size}`)
}

export const summaryOf = ({ isSound, findings, more }: Pick<Examination, 'isSound' | 'findings' | 'more'>): string => {
  const count = findings.length + more
  return isSound ? `sound${count === 0 ? '' : `, with ${count} notes`}` : `damaged: ${count} findings`
}
