/** Our declarations against the message definitions inside the kafka-clients jar: every field, type, version, tag and default. */
import { spawnSync } from 'node:child_process'
import { globSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AnyField, apis, codes, Field, type Fields, NO_VERSION, ZERO_UUID } from '@assay/protocol'
import { beforeAll, describe, expect, test } from 'vitest'
import { apacheKafkaJars } from '../../peers/apache-kafka.ts'
import { temporaryDirectory } from '../../served.ts'
import { readJar } from './jar.ts'

interface Definition {
  readonly name: string
  readonly type: string
  readonly versions: string
  readonly nullableVersions?: string
  readonly taggedVersions?: string
  readonly tag?: number
  readonly default?: string | number | boolean
  readonly fields?: readonly Definition[]
}

interface Message {
  readonly apiKey: number
  readonly validVersions: string
  readonly flexibleVersions: string
  readonly fields: readonly Definition[]
  readonly commonStructs?: readonly Definition[]
}

/** What a field looks like at one version, in words that both sides can be put into. */
interface Row {
  readonly name: string
  readonly type: string
  readonly nullable: boolean
  readonly tag: number
  readonly default: string
}

let jars: ReturnType<typeof apacheKafkaJars>
let messages = new Map<string, Message>()

beforeAll(() => {
  jars = apacheKafkaJars()
  if ('missing' in jars) return
  const [jar] = globSync('kafka-clients-4.4.0.jar', { cwd: jars.directory })
  const files = readJar(join(jars.directory, jar!), name => /^common\/message\/.*\.json$/.test(name))
  messages = new Map(
    [...files].map(([name, content]) => [
      name.slice('common/message/'.length, -'.json'.length),
      JSON.parse(content.toString().replace(/^\s*\/\/.*$/gm, '')) as Message
    ])
  )
}, 300_000)

describe.each(apis.map(api => ({ name: api.name, api })))('$name', ({ name, api }) => {
  test('is declared as Kafka 4.4 defines it', context => {
    if ('missing' in jars) return context.skip(jars.missing)
    const request = messages.get(`${name}Request`)!
    const response = messages.get(`${name}Response`)!
    expect(api.key).toBe(request.apiKey)
    const [min, max] = rangeOf(request.validVersions)
    expect(api.versions[0]).toBe(min)
    // InitProducerId 6 is marked unstable: brokers do not serve it.
    expect(api.versions[1]).toBe(name === 'InitProducerId' ? max - 1 : max)
    expect(api.flexibleSince).toBe(rangeOf(request.flexibleVersions)[0])
    for (let version = api.versions[0]; version <= api.versions[1]; version++) {
      expect(ourRows(api.request as Fields, version), `request v${version}`).toEqual(kafkaRows(request, version))
      expect(ourRows(api.response as Fields, version), `response v${version}`).toEqual(kafkaRows(response, version))
    }
  })
})

test('error codes are those of Kafka 4.4', context => {
  if ('missing' in jars) return context.skip(jars.missing)
  const directory = temporaryDirectory()
  const source = join(directory, 'Codes.java')
  writeFileSync(
    source,
    `import org.apache.kafka.common.protocol.Errors; import org.apache.kafka.common.errors.RetriableException;
     public class Codes { public static void main(String[] a) { for (Errors e : Errors.values())
       System.out.println(e.name() + " " + e.code() + " " + (e.exception() instanceof RetriableException)); } }`
  )
  const java = spawnSync('java', ['-cp', join(jars.directory, '*'), source], { encoding: 'utf8' })
  if (java.error || java.status !== 0) return context.skip(`java: ${java.error?.message ?? java.stderr}`)
  const kafka = java.stdout.trim().split('\n').sort()
  const ours = Object.entries(codes).map(([name, row]) => `${name} ${row.code} ${'retriable' in row}`)
  expect(ours.sort()).toEqual(kafka)
})

function rangeOf(text: string | undefined): [number, number] {
  if (text === undefined || text === 'none') return [NO_VERSION, -1]
  const [from, to] = text.replace('+', `-${NO_VERSION}`).split('-')
  return [Number(from), Number(to ?? from)]
}

const within = (text: string | undefined, version: number): boolean => {
  const [from, to] = rangeOf(text)
  return version >= from && version <= to
}

function kafkaRows({ fields, commonStructs = [] }: Message, version: number): Row[] {
  const structs = new Map(commonStructs.map(struct => [struct.name, struct.fields!]))
  const walk = (definitions: readonly Definition[], prefix: string): Row[] =>
    definitions
      .filter(definition => within(definition.versions, version))
      .flatMap(definition => {
        const { type } = definition
        const name = prefix + definition.name[0]!.toLowerCase() + definition.name.slice(1)
        const element = type.replace('[]', '')
        const inner = definition.fields ?? structs.get(element)
        const shown = inner ? (type.startsWith('[]') ? '[]struct' : 'struct') : type
        const row: Row = {
          name,
          type: shown,
          nullable: within(definition.nullableVersions, version),
          tag: within(definition.taggedVersions, version) ? definition.tag! : -1,
          default: defaultText(shown, definition.default)
        }
        return [row, ...(inner ? walk(inner, `${name}.`) : [])]
      })
  return walk(fields, '')
}

function ourRows(fields: Fields, version: number, prefix = ''): Row[] {
  return Object.entries(fields)
    .filter(([, { shape }]) => shape.since <= version && version <= shape.until)
    .flatMap(([own, { shape }]) => {
      const name = prefix + own
      const isArray = shape.kind === 'array'
      const inner = shape.of instanceof Field || shape.of === undefined ? undefined : shape.of
      const kind = shape.kind === 'batches' ? 'records' : shape.kind
      const element = isArray ? (inner ? 'struct' : (shape.of as AnyField).shape.kind) : kind
      const row: Row = {
        name,
        type: isArray ? `[]${element}` : element,
        nullable: shape.nullableSince <= version,
        tag: shape.tag,
        default: fallbackText(shape.kind, shape.fallback)
      }
      return [row, ...(inner ? ourRows(inner, version, `${name}.`) : [])]
    })
}

/** Defaults of composite types are told by whether they are null. */
function defaultText(type: string, given: Definition['default']): string {
  if (given === 'null') return 'null'
  if (type.startsWith('[]') || type === 'struct' || type === 'bytes' || type === 'records') return 'empty'
  if (given === undefined || given === '')
    return type === 'string' ? '' : type === 'bool' ? 'false' : type === 'uuid' ? ZERO_UUID : '0'
  return type === 'string' || type === 'bool' ? String(given) : String(BigInt(given as string))
}

function fallbackText(kind: string, fallback: unknown): string {
  if (fallback === null) return 'null'
  return ['array', 'struct', 'bytes', 'records', 'batches'].includes(kind) ? 'empty' : String(fallback)
}
