/** `assay config get|set|unset [SUBJECT]`: compatibility level and the other settings of the registry, a context or a subject. */
import { readFileSync } from 'node:fs'
import { type RegistryConfig, registryConfigFields } from '@assay/client'
import { AssayError } from '@assay/errors'
import { Command, Option } from 'commander'
import { configOf, formatOf, withSettings } from '../options.ts'
import { printFacts, printRows, say } from '../print.ts'
import { registryOf } from '../registry-access.ts'
import { configInForce, ownConfig } from '../scope.ts'
import { SCOPE_ARGUMENT } from './mode.ts'

export function configCommand(): Command {
  return new Command('config')
    .description(
      'show and change compatibility levels and other settings of the registry; those of the broker: topic, group, cluster config|alter, quota'
    )
    .addCommand(getCommand())
    .addCommand(setCommand())
    .addCommand(unsetCommand())
}

function getCommand(): Command {
  const command = new Command('get')
    .description('what is set')
    .argument('[subject]', SCOPE_ARGUMENT)
    .option('--all', 'every setting as it is in force, and where it comes from: subject, context, registry or default', false)
  return withSettings(command).action(async (subject: string | undefined, { all }: { all: boolean }) => {
    const registry = registryOf(configOf(command))
    const format = formatOf(command)
    if (all) {
      const config = await configInForce(registry, subject)
      const rows = registryConfigFields.map(setting => ({
        setting,
        value: config[setting].value ?? null,
        from: config[setting].from
      }))
      return printRows(rows, ['setting', 'value', 'from'], format)
    }
    const own = await ownConfig(registry, subject)
    if (own === undefined && format === 'table') return say(`${subject} has no settings of its own; --all shows those in force.`)
    printFacts({ subject: subject ?? null, ...own }, format)
  })
}

function setCommand(): Command {
  const truth = (flags: string, says: string): Option => new Option(`${flags} <true|false>`, says).argParser(truthOf(flags))
  const json = (flags: string, says: string): Option =>
    new Option(`${flags} <json>`, `${says}: JSON, or @file`).argParser(jsonOf(flags))
  const command = new Command('set')
    .description('change settings; those that are not named stay')
    .argument('[subject]', SCOPE_ARGUMENT)
    .option('--compatibility <level>', 'NONE, or BACKWARD, FORWARD or FULL, each with or without _TRANSITIVE')
    .addOption(truth('--normalize', 'schemas are normalised when they are registered'))
    .option('--alias <subject>', 'another subject that requests for this one go to')
    .option('--alias-for-deks <subject>', 'the same for data encryption keys')
    .option('--compatibility-group <property>', 'only versions with the same value of this metadata property are compared')
    .option('--compatibility-policy <policy>', 'STRICT or LOGICAL')
    .addOption(truth('--validate-fields', 'a name of a reserved field is refused'))
    .addOption(truth('--validate-new-schemas', 'new schemas are checked strictly'))
    .addOption(truth('--validate-rules', 'rules are checked'))
    .addOption(json('--default-metadata', 'metadata of schemas that bring none'))
    .addOption(json('--override-metadata', 'metadata that overrules what schemas bring'))
    .addOption(json('--default-rule-set', 'rules of schemas that bring none'))
    .addOption(json('--override-rule-set', 'rules that overrule what schemas bring'))
  return withSettings(command).action(async (subject: string | undefined, options: Record<string, unknown>) => {
    const update = updateOf(options)
    if (Object.keys(update).length === 0) {
      throw new AssayError('INVALID_ARGUMENT', {
        reason: 'name a setting to change, such as --compatibility FULL (--help lists them)'
      })
    }
    const set = await registryOf(configOf(command)).setConfig(update, subject)
    printFacts({ subject: subject ?? null, ...set }, formatOf(command))
  })
}

function unsetCommand(): Command {
  const command = new Command('unset')
    .description('take the settings away, so that the next wider ones are in force')
    .argument('[subject]', SCOPE_ARGUMENT)
  return withSettings(command).action(async (subject: string | undefined) => {
    const before = await registryOf(configOf(command)).deleteConfig(subject)
    printFacts({ subject: subject ?? null, unset: before }, formatOf(command))
  })
}

/** The flags bear the names of the settings, but for the level. */
function updateOf({ compatibility, ...options }: Record<string, unknown>): RegistryConfig {
  const named = registryConfigFields.filter(name => options[name] !== undefined).map(name => [name, options[name]])
  const level = compatibility === undefined ? {} : { compatibilityLevel: String(compatibility).toUpperCase() }
  return { ...Object.fromEntries(named), ...level } as RegistryConfig
}

function truthOf(flag: string): (text: string) => boolean {
  return text => {
    if (text === 'true' || text === 'false') return text === 'true'
    throw new AssayError('INVALID_ARGUMENT', { reason: `${flag} ${text}: expected true or false` })
  }
}

function jsonOf(flag: string): (text: string) => object {
  return text => {
    try {
      const value: unknown = JSON.parse(text.startsWith('@') ? readFileSync(text.slice(1), 'utf8') : text)
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
    } catch (error) {
      throw new AssayError('INVALID_ARGUMENT', { reason: `${flag} ${text}: ${(error as Error).message}` }, { cause: error })
    }
    throw new AssayError('INVALID_ARGUMENT', { reason: `${flag} ${text}: expected a JSON object` })
  }
}
