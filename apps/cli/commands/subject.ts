/** `assay subject list|describe|delete`: subjects, of any registry that speaks Confluent's API. */
import { Command } from 'commander'
import { confirmed } from '../confirm.ts'
import { aboutSubject } from '../nearest-subject.ts'
import { configOf, formatOf, withSettings } from '../options.ts'
import { line, printFacts, printRows, say } from '../print.ts'
import { registryOf } from '../registry-access.ts'
import { configInForce, modeInForce } from '../scope.ts'
import { versionsOf } from './schema.ts'

export function subjectCommand(): Command {
  return new Command('subject')
    .description('list, describe and delete subjects')
    .addCommand(listCommand())
    .addCommand(describeCommand())
    .addCommand(deleteCommand())
}

function listCommand(): Command {
  const command = new Command('list')
    .description('list subjects')
    .option('--prefix <text>', 'only those that begin so; :*: for those of every context')
    .option('--deleted', 'soft-deleted ones, too', false)
  return withSettings(command).action(async ({ prefix, deleted }: { prefix?: string; deleted: boolean }) => {
    const registry = registryOf(configOf(command))
    const named = prefix === undefined ? {} : { prefix }
    const subjects = await registry.subjects({ ...named, deleted })
    const live = deleted ? new Set(await registry.subjects(named)) : undefined
    if (subjects.length === 0 && formatOf(command) === 'table') say('There is no subject.')
    const rows = subjects.map(subject => ({ subject, ...(live && { deleted: !live.has(subject) }) }))
    printRows(rows, deleted ? ['subject', 'deleted'] : ['subject'], formatOf(command))
  })
}

function describeCommand(): Command {
  const command = new Command('describe')
    .description('versions of a subject, and the settings and mode in force for it')
    .argument('<subject>')
  return withSettings(command).action(async (subject: string) => {
    const registry = registryOf(configOf(command))
    const versions = await aboutSubject(registry, subject, () => versionsOf(registry, subject, { deleted: true }))
    const [config, mode] = await Promise.all([configInForce(registry, subject), modeInForce(registry, subject)])
    const referenced = await registry.referencedBy(subject, versions.at(-1)!.version, { deleted: true }).catch(() => [])
    const { compatibilityLevel } = config
    const rows = versions.map(({ version, schemaId, deleted = false, guid, references = [] }) => ({
      version,
      schemaId,
      deleted,
      ...(guid !== undefined && { guid }),
      references: references.map(({ subject, version }) => `${subject}@${version}`)
    }))
    const facts = {
      subject,
      compatibilityLevel: compatibilityLevel.value,
      compatibilityLevelFrom: compatibilityLevel.from,
      mode: mode.value,
      modeFrom: mode.from,
      latestIsReferencedBy: referenced
    }
    const format = formatOf(command)
    if (format !== 'table') return printFacts({ ...facts, versions: rows }, format)
    printFacts(
      {
        subject,
        compatibility: `${compatibilityLevel.value} (${compatibilityLevel.from})`,
        mode: `${mode.value} (${mode.from})`,
        'referred to by': referenced.length === 0 ? 'nothing' : `schema IDs ${referenced.join(', ')}`
      },
      format
    )
    line('')
    printRows(
      rows.map(({ references, ...row }) => ({ ...row, references: references.join(' ') })),
      ['version', 'schemaId', 'deleted', 'references'],
      format
    )
  })
}

function deleteCommand(): Command {
  const command = new Command('delete')
    .description('delete every version of a subject: softly, so that their IDs go on to be answered, or after that for ever')
    .argument('<subject>')
    .option('--permanent', 'take a soft-deleted subject away for ever', false)
    .option('-y, --yes', 'do not ask', false)
  return withSettings(command).action(async (subject: string, options: { permanent: boolean; yes: boolean }) => {
    const registry = registryOf(configOf(command))
    const how = options.permanent ? 'for ever' : 'softly'
    if (!(await confirmed(`Delete every version of ${subject} ${how}?`, options))) return
    const versions = await aboutSubject(registry, subject, () => registry.deleteSubject(subject, options))
    printFacts({ subject, versions, deleted: options.permanent ? 'permanently' : 'softly' }, formatOf(command))
  })
}
