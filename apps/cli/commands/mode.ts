/** `assay mode get|set|unset [SUBJECT]`: who may write to the registry, a context or a subject. */
import type { RegistryMode } from '@assay/client'
import { AssayError } from '@assay/errors'
import { Command } from 'commander'
import { configOf, formatOf, withSettings } from '../options.ts'
import { printFacts } from '../print.ts'
import { registryOf } from '../registry-access.ts'
import { modeInForce } from '../scope.ts'

const modes: readonly RegistryMode[] = ['READWRITE', 'READONLY', 'READONLY_OVERRIDE', 'IMPORT', 'FORWARD']
export const SCOPE_ARGUMENT = 'a subject, or :.context: for a context (default: the whole registry)'

export function modeCommand(): Command {
  return new Command('mode')
    .description('show and change modes: who may write')
    .addCommand(getCommand())
    .addCommand(setCommand())
    .addCommand(unsetCommand())
}

function getCommand(): Command {
  const command = new Command('get')
    .description('the mode in force, and where it comes from')
    .argument('[subject]', SCOPE_ARGUMENT)
  return withSettings(command).action(async (subject: string | undefined) => {
    const { value, from } = await modeInForce(registryOf(configOf(command)), subject)
    printFacts({ subject: subject ?? null, mode: value, from }, formatOf(command))
  })
}

function setCommand(): Command {
  const command = new Command('set')
    .description('change a mode')
    .argument('<mode>', modes.join(', '))
    .argument('[subject]', SCOPE_ARGUMENT)
    .option('--force', 'switch to IMPORT although there are subjects', false)
  return withSettings(command).action(async (text: string, subject: string | undefined, { force }: { force: boolean }) => {
    const mode = modes.find(known => known === text.toUpperCase())
    if (!mode) throw new AssayError('INVALID_ARGUMENT', { reason: `${text} is no mode: one of ${modes.join(', ')}` })
    const set = await registryOf(configOf(command)).setMode(mode, subject, { force })
    printFacts({ subject: subject ?? null, mode: set }, formatOf(command))
  })
}

function unsetCommand(): Command {
  const command = new Command('unset')
    .description('take a mode away, so that the next wider one is in force')
    .argument('[subject]', SCOPE_ARGUMENT)
    .option('--recursive', "with a context: its subjects' own modes, too", false)
  return withSettings(command).action(async (subject: string | undefined, { recursive }: { recursive: boolean }) => {
    const before = await registryOf(configOf(command)).deleteMode(subject, { recursive })
    printFacts({ subject: subject ?? null, unset: before }, formatOf(command))
  })
}
