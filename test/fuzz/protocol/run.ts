/** One run of malformed frames against a served process of its own, after real clients were recorded there. */
import { isAssayError } from '@assay/errors'
import { apiVersions, decodeRequest, readRequestHeader } from '@assay/protocol'
import { requestOf } from '../../filled.ts'
import { freePort } from '../../peers/free-port.ts'
import { rawClient } from '../../raw-client.ts'
import { type Served, serve } from '../../served.ts'
import { type Mutant, mutantOf } from './mutations.ts'
import { type Frame, framesOf, useClients } from './real-frames.ts'
import { recordFrames } from './recording.ts'

export interface Prepared {
  readonly served: Served
  /** HOST:PORT that really listens; clients are told of the recording proxy. */
  readonly kafka: string
  readonly frames: readonly Frame[]
}

/** Bounds that a run of this length would otherwise fill with what gets through by chance. */
const settings = {
  'log-level': 'error',
  'partitions-max': 100,
  'groups-max': 100,
  'fetch-wait-ms-max': 20,
  'tail-cache-bytes': 1 << 20
}

export async function prepare(): Promise<Prepared> {
  const [real, advertised] = [await freePort(), await freePort()]
  const kafka = `127.0.0.1:${real}`
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)])
  const served = await serve({ args: [...args, '--advertised', `127.0.0.1:${advertised}`], kafka })
  const recording = await recordFrames(advertised, real)
  await useClients(`127.0.0.1:${advertised}`)
  await recording.close()
  const client = await rawClient(kafka)
  const about = requestOf(apiVersions, { clientSoftwareName: 'fuzz', clientSoftwareVersion: '1' })
  const { apiKeys } = await client.ask(apiVersions, 3, about)
  client.close()
  const keys = apiKeys.map(({ apiKey, minVersion, maxVersion }) => ({ key: apiKey, versions: [minVersion, maxVersion] as const }))
  return { served, kafka, frames: framesOf(recording.frames, keys) }
}

export function* mutantsOf(frames: readonly Frame[], seed: number, count: number): Generator<Mutant> {
  for (let number = 0; number < count; number++) yield mutantOf(frames, seed, number)
}

export interface Decoded {
  readonly refused: number
  readonly passed: number
  /** Anything but a named refusal. */
  readonly faults: readonly string[]
  readonly slowestCpuMs: number
}

/** Decodes without a socket: what cannot be read is refused by name, and soon. */
export function decodeAll(mutants: Iterable<Mutant>, frames: readonly Frame[]): Decoded {
  const apis = new Map(frames.map(({ api, version }) => [`${api.key}/${version}`, api]))
  const faults: string[] = []
  let [refused, passed, slowestCpuMs] = [0, 0, 0]
  for (const { bytes, kind, of } of mutants) {
    const frame = bytes.subarray(4)
    const before = process.cpuUsage()
    try {
      const api = frame.length < 4 ? undefined : apis.get(`${frame.readInt16BE(0)}/${frame.readInt16BE(2)}`)
      if (api === undefined) continue
      const { bodyAt, version } = readRequestHeader(frame, api)
      decodeRequest(api, version, frame, bodyAt, ELEMENTS_MAX)
      passed++
    } catch (error) {
      if (isAssayError(error, 'MALFORMED_REQUEST')) refused++
      else faults.push(`${of}: ${kind}: ${error}`)
    }
    const { user, system } = process.cpuUsage(before)
    slowestCpuMs = Math.max(slowestCpuMs, (user + system) / 1000)
  }
  return { refused, passed, faults, slowestCpuMs }
}

/** As the server has it by default (request-elements-max). */
const ELEMENTS_MAX = 100_000
