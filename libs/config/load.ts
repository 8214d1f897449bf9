/** Settings from flag, variable, file and default, in that order, each checked against its row. */
import { existsSync, readFileSync } from 'node:fs'
import { AssayError } from '@assay/errors'
import { nearestName } from '@assay/std'
import { type Config, keyOf, rowOf, type SettingName, settingNames, variableOf } from './settings.ts'
import { yaml } from './yaml.ts'

type Value = string | number | boolean

export type Origin = 'flag' | 'variable' | 'file' | 'default'

export interface Sources {
  /** By setting name; undefined where the flag was not given. */
  readonly flags: Readonly<Partial<Record<SettingName, unknown>>>
  readonly env: Readonly<Record<string, string | undefined>>
  /** By key of assay.yaml. */
  readonly file: Readonly<Record<string, unknown>>
}

export interface Loaded {
  readonly config: Config
  /** Where each value came from. */
  readonly origins: Readonly<Record<SettingName, Origin>>
}

/** Fails with INVALID_SETTING naming the source, the value and what is allowed. */
export function loadConfig(sources: Sources): Loaded {
  refuseUnknownKeys(sources.file)
  const config: Partial<Record<SettingName, Value>> = {}
  const origins: Partial<Record<SettingName, Origin>> = {}
  for (const name of settingNames) {
    const [origin, label, raw] = pick(name, sources)
    origins[name] = origin
    config[name] = origin === 'default' ? rowOf(name).default : checkSetting(name, raw, label)
  }
  return { config: config as Config, origins: origins as Record<SettingName, Origin> }
}

/** Reads assay.yaml; a file that is not there is an empty one unless it was named by the user. */
export function readConfigFile(path: string, named: boolean): Record<string, unknown> {
  if (!existsSync(path)) {
    if (named) throw new AssayError('INVALID_ARGUMENT', { reason: `The configuration file ${path} is not there` })
    return {}
  }
  const document = yaml().parseDocument(readFileSync(path, 'utf8'))
  const [fault] = document.errors
  if (fault) throw new AssayError('INVALID_ARGUMENT', { reason: `${path}: ${fault.message}` })
  const content: unknown = document.toJS() ?? {}
  if (typeof content !== 'object' || Array.isArray(content)) {
    throw new AssayError('INVALID_ARGUMENT', { reason: `${path}: expected "key: value" lines` })
  }
  return content as Record<string, unknown>
}

/** One value against its row. `label` says where it was given, as the user typed it. */
export function checkSetting(name: SettingName, raw: unknown, label: string): Value {
  const row = rowOf(name)
  const refuse = (reason: string): never => {
    throw new AssayError('INVALID_SETTING', { setting: label, value: String(raw), reason })
  }
  if (typeof row.default === 'boolean') {
    if (raw === true || raw === 'true' || raw === '1') return true
    if (raw === false || raw === 'false' || raw === '0') return false
    return refuse('expected true or false')
  }
  if (typeof row.default === 'number') {
    const text = String(raw).trim()
    const value = text === '' ? Number.NaN : Number(text)
    if (!Number.isSafeInteger(value)) return refuse(`expected a whole number of ${row.unit}`)
    if (row.min !== undefined && value < row.min) return refuse(`at least ${row.min}`)
    if (row.max !== undefined && value > row.max) return refuse(`at most ${row.max}`)
    return value
  }
  if (typeof raw !== 'string') return refuse(`expected a ${row.unit}`)
  if (row.choices && !row.choices.includes(raw)) return refuse(`one of ${row.choices.join(', ')}`)
  if (row.unit === 'address' && raw !== '') parseAddress(raw, label)
  if (row.unit === 'url' && !URL.canParse(raw)) return refuse('expected a URL such as http://127.0.0.1:8081')
  return raw
}

export interface Address {
  readonly host: string
  readonly port: number
}

/** `HOST:PORT`, the host in brackets when it is IPv6. */
export function parseAddress(text: string, label: string): Address {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  if (!match || port > 65_535) {
    throw new AssayError('INVALID_SETTING', { setting: label, value: text, reason: 'expected HOST:PORT, such as 127.0.0.1:9092' })
  }
  return { host: match[1] ?? match[2] ?? '', port }
}

/** True for an address that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

function pick(name: SettingName, { flags, env, file }: Sources): [Origin, string, unknown] {
  const flag = flags[name]
  if (flag !== undefined) return ['flag', `--${keyOf(name)}`, flag]
  const variable = variableOf(name)
  // An empty variable is the way to unset one in most CI systems.
  if (env[variable] !== undefined && env[variable] !== '') return ['variable', variable, env[variable]]
  const key = keyOf(name)
  if (file[key] !== undefined && file[key] !== null) return ['file', `${key} in the configuration file`, file[key]]
  return ['default', key, undefined]
}

function refuseUnknownKeys(file: Readonly<Record<string, unknown>>): void {
  const keys = settingNames.map(keyOf)
  for (const key of Object.keys(file)) {
    if (keys.includes(key)) continue
    const near = nearestName(key, keys)
    throw new AssayError('INVALID_SETTING', {
      setting: `${key} in the configuration file`,
      value: String(file[key]),
      reason: `there is no such setting${near ? `; did you mean ${near}?` : ''}`
    })
  }
}
