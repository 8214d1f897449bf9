/** Flags from the settings table, and the settings of one call. */
import { type Config, keyOf, type Loaded, loadConfig, readConfigFile, rowOf, type SettingName, settingNames } from '@assay/config'
import { type Command, Option } from 'commander'

export type Format = 'table' | 'json' | 'yaml'

const DEFAULT_CONFIG_FILE = 'assay.yaml'
const CLIENT_SETTINGS: readonly SettingName[] = [
  'registry',
  'registryUser',
  'registryPasswordFile',
  'registryTokenFile',
  'registryCa',
  'registryCert',
  'registryKey',
  'bootstrap',
  'bootstrapUser',
  'bootstrapPasswordFile',
  'bootstrapTls',
  'bootstrapCa',
  'bootstrapCert',
  'bootstrapKey',
  'timeoutMs'
]

/** Gives a command the flags that every verb takes, and those of the settings named. */
export function withSettings(command: Command, ...names: SettingName[]): Command {
  command.addOption(
    new Option('-o, --output <format>', 'how results are printed').choices(['table', 'json', 'yaml']).default('table')
  )
  command.option('--config <file>', `configuration file (default: ${DEFAULT_CONFIG_FILE} when it is there)`)
  for (const name of new Set([...names, ...CLIENT_SETTINGS])) {
    const row = rowOf(name)
    const value = typeof row.default === 'boolean' ? '[true|false]' : `<${row.unit}>`
    const fallback = row.default === '' ? '' : ` (default: ${row.default})`
    const option = new Option(`--${keyOf(name)} ${value}`, `${row.says}${fallback}`)
    command.addOption(CLIENT_SETTINGS.includes(name) ? option.helpGroup('Registry and broker:') : option)
  }
  return command
}

/** Every setting of the server, for the verbs that run one. */
export const serverSettings: readonly SettingName[] = settingNames.filter(name => rowOf(name).group !== 'client')

/** The settings of a call. Fails with INVALID_SETTING or INVALID_ARGUMENT. */
export const configOf = (command: Command): Config => loadedOf(command).config

/** The same, with where each value came from. */
export function loadedOf(command: Command): Loaded {
  const options = command.optsWithGlobals()
  const flags: Partial<Record<SettingName, unknown>> = {}
  for (const name of settingNames) if (options[name] !== undefined) flags[name] = options[name]
  const named = options['config'] as string | undefined
  return loadConfig({ flags, env: process.env, file: readConfigFile(named ?? DEFAULT_CONFIG_FILE, named !== undefined) })
}

export const formatOf = (command: Command): Format => command.optsWithGlobals()['output'] as Format
