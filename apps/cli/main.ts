/** The `assay` command: built from its verbs, one file each. A verb's file is loaded only when it is called, so that each starts fast. */
import { AssayError } from '@assay/errors'
import { Command, CommanderError } from 'commander'
import pc from 'picocolors'
import { exitCodeOf, exitCodes } from './exit.ts'
import { hintOf } from './hints.ts'
import { say } from './print.ts'
import { version } from './version.ts'

/** In the order in which the help lists them. */
const verbs: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./commands/serve.ts')).serveCommand(),
  dev: async () => (await import('./commands/dev.ts')).devCommand(),
  register: async () => (await import('./commands/register.ts')).registerCommand(),
  check: async () => (await import('./commands/check.ts')).checkCommand(),
  schema: async () => (await import('./commands/schema.ts')).schemaCommand(),
  subject: async () => (await import('./commands/subject.ts')).subjectCommand(),
  config: async () => (await import('./commands/config.ts')).configCommand(),
  mode: async () => (await import('./commands/mode.ts')).modeCommand(),
  export: async () => (await import('./commands/export.ts')).exportCommand(),
  import: async () => (await import('./commands/import.ts')).importCommand(),
  generate: async () => (await import('./commands/generate.ts')).generateCommand(),
  topic: async () => (await import('./commands/topic.ts')).topicCommand(),
  group: async () => (await import('./commands/group.ts')).groupCommand(),
  produce: async () => (await import('./commands/produce.ts')).produceCommand(),
  tail: async () => (await import('./commands/tail.ts')).tailCommand(),
  transaction: async () => (await import('./commands/transaction.ts')).transactionCommand(),
  cluster: async () => (await import('./commands/cluster.ts')).clusterCommand(),
  user: async () => (await import('./commands/user.ts')).userCommand(),
  acl: async () => (await import('./commands/acl.ts')).aclCommand(),
  quota: async () => (await import('./commands/quota.ts')).quotaCommand(),
  version: async () => (await import('./commands/version.ts')).versionCommand(),
  backup: async () => (await import('./commands/backup.ts')).backupCommand(),
  restore: async () => (await import('./commands/restore.ts')).restoreCommand(),
  verify: async () => (await import('./commands/verify.ts')).verifyCommand(),
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand(),
  completion: async () => (await import('./commands/completion.ts')).completionCommand()
}

/** With the one verb that is called when it is known, else with all: help, completion and a mistyped verb need them. */
export async function assayCommand(called?: string): Promise<Command> {
  const command = new Command('assay')
    .description('A schema registry and a Kafka broker in one: what its schema does not allow is never stored.')
    .version(version, '-V, --version')
    .showSuggestionAfterError()
    .showHelpAfterError('(assay --help lists the verbs)')
  const one = called !== undefined && called !== 'completion' && Object.hasOwn(verbs, called) ? verbs[called] : undefined
  for (const load of one ? [one] : Object.values(verbs)) command.addCommand(await load())
  return throwing(command)
}

/** Runs one call and answers its exit code; `process.exitCode` set by a verb (findings) is kept. */
export async function run(argv: readonly string[]): Promise<number> {
  try {
    const command = await assayCommand(argv[0])
    await command.parseAsync([...argv], { from: 'user' })
    return Number(process.exitCode ?? exitCodes.ok)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    if (!(error instanceof AssayError)) throw error
    say(`${pc.red('assay:')} ${error.message}`)
    const hint = hintOf(error)
    if (hint !== undefined) say(`  hint    ${hint}`)
    return exitCodeOf(error)
  }
}

/** Makes commander throw where it would end the process, at every depth. */
function throwing(command: Command): Command {
  command.exitOverride()
  for (const sub of command.commands) throwing(sub)
  return command
}

/** Runs the call that this process was started with. */
export async function main(): Promise<void> {
  // `assay export | head`: whoever read has enough.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCodes.ok)
    throw error
  })
  process.exitCode = await run(process.argv.slice(2))
}

if (import.meta.main) await main()
