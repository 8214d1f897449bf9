/** The `assay` command: built from its verbs, one file each. */
import { AssayError } from '@assay/errors'
import { Command, CommanderError } from 'commander'
import pc from 'picocolors'
import { checkCommand } from './commands/check.ts'
import { completionCommand } from './commands/completion.ts'
import { devCommand } from './commands/dev.ts'
import { generateCommand } from './commands/generate.ts'
import { produceCommand } from './commands/produce.ts'
import { registerCommand } from './commands/register.ts'
import { serveCommand } from './commands/serve.ts'
import { tailCommand } from './commands/tail.ts'
import { topicCommand } from './commands/topic.ts'
import { version, versionCommand } from './commands/version.ts'
import { exitCodeOf, exitCodes } from './exit.ts'
import { say } from './print.ts'

export function assayCommand(): Command {
  const command = new Command('assay')
    .description('A schema registry and a Kafka broker in one: what its schema does not allow is never stored.')
    .version(version, '-V, --version')
    .showSuggestionAfterError()
    .showHelpAfterError('(assay --help lists the verbs)')
  const verbs = [
    serveCommand(),
    devCommand(),
    registerCommand(),
    checkCommand(),
    generateCommand(),
    topicCommand(),
    produceCommand(),
    tailCommand(),
    versionCommand(),
    completionCommand()
  ]
  for (const verb of verbs) command.addCommand(verb)
  return throwing(command)
}

/** Runs one call and answers its exit code; `process.exitCode` set by a verb (findings) is kept. */
export async function run(argv: readonly string[]): Promise<number> {
  try {
    await assayCommand().parseAsync([...argv], { from: 'user' })
    return Number(process.exitCode ?? exitCodes.ok)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    if (!(error instanceof AssayError)) throw error
    say(`${pc.red('assay:')} ${error.message}`)
    return exitCodeOf(error)
  }
}

/** Makes commander throw where it would end the process, at every depth. */
function throwing(command: Command): Command {
  command.exitOverride()
  for (const sub of command.commands) throwing(sub)
  return command
}

if (import.meta.main) process.exitCode = await run(process.argv.slice(2))
