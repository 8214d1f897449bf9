/**
 * One question about the protocol itself or about the cluster, and its answer: the same for Apache Kafka 4.4 and for us, unless the case
 * says why not. `table.test.ts` asks us, `table.slow.test.ts` asks Kafka.
 */
import { connect } from 'node:net'
import { type AnyApi, apiVersions, createTopics, errorName, fetch, type ResponseOf } from '@assay/protocol'
import { requestOf } from '../../filled.ts'
import type { RawClient } from '../../raw-client.ts'

export interface Case {
  readonly name: string
  readonly ask: (kit: Kit) => Promise<unknown>
  /** The key of an API that the question is about: without it there is nothing to ask. */
  readonly needs?: number
  /** Given to `toEqual`. */
  readonly answer: unknown
  /** What Apache Kafka answers instead, and why we do not. */
  readonly kafka?: { readonly answer: unknown; readonly why: string }
}

/** Runs one case: undefined when what it needs is not served. */
export async function answerOf(kit: Kit, { ask, needs }: Case): Promise<{ readonly answer: unknown } | undefined> {
  if (needs !== undefined) {
    const { apiKeys } = await kit.ask(apiVersions, { clientSoftwareName: 'table', clientSoftwareVersion: '1' }, 4)
    if (!apiKeys.some(({ apiKey }) => apiKey === needs)) return undefined
  }
  return { answer: await ask(kit) }
}

export interface Kit {
  readonly client: RawClient
  readonly nodeId: number
  ask<A extends AnyApi>(api: A, body: object, version?: number): Promise<ResponseOf<A>>
  /** Makes a topic and gives its name; those made later sort behind. */
  topic(options?: TopicOptions): Promise<string>
  /** Sends one frame as it is (without its length) on a connection of its own: the bytes of the answer in hex, or `closed`. */
  exchange(frame: Buffer | string): Promise<string>
}

export interface TopicOptions {
  readonly partitions?: number
  readonly configs?: Readonly<Record<string, string>>
}

const SILENCE_MS_MAX = 5000
const TRIES = 100

export function kitOf(address: string, client: RawClient, nodeId: number): Kit {
  const run = Date.now().toString(36)
  let topics = 0
  const kit: Kit = {
    client,
    nodeId,
    ask: (api, body, version = api.versions[1]) => client.ask(api, version, requestOf(api, body)),
    async topic({ partitions = 1, configs = {} } = {}) {
      const name = `p-${run}-${String(++topics).padStart(3, '0')}`
      const entries = Object.entries(configs).map(([key, value]) => ({ name: key, value }))
      const wish = { name, numPartitions: partitions, replicationFactor: 1, configs: entries }
      const made = await kit.ask(createTopics, { topics: [wish], timeoutMs: 10_000 })
      const { errorCode, errorMessage } = made.topics[0]!
      if (errorCode !== 0) throw new Error(`${errorName(errorCode)}: ${errorMessage}`)
      // Kafka's brokers hear of a topic a little after it was made.
      for (let left = TRIES; left > 0; left--) {
        const asked = Array.from({ length: partitions }, (_, partition) => ({ partition, partitionMaxBytes: 1 }))
        const { responses } = await kit.ask(fetch, { maxBytes: 1, topics: [{ topic: name, partitions: asked }] }, 12)
        if (responses[0]!.partitions.every(({ errorCode: code }) => code === 0)) return name
        await new Promise(resolve => setTimeout(resolve, 20))
      }
      throw new Error(`${name} did not come up`)
    },
    exchange: frame => exchange(address, Buffer.isBuffer(frame) ? frame : Buffer.from(frame.replaceAll(' ', ''), 'hex'))
  }
  return kit
}

function exchange(address: string, frame: Buffer): Promise<string> {
  const at = address.lastIndexOf(':')
  const socket = connect(Number(address.slice(at + 1)), address.slice(0, at))
  const length = Buffer.alloc(4)
  length.writeInt32BE(frame.length)
  socket.write(Buffer.concat([length, frame]))
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle('silence'), SILENCE_MS_MAX)
    let answer = Buffer.alloc(0)
    const settle = (what: string): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(what)
    }
    socket.once('error', error => ('code' in error && error.code === 'ECONNRESET' ? settle('closed') : reject(error)))
    socket.once('close', () => settle('closed'))
    socket.on('data', chunk => {
      answer = Buffer.concat([answer, chunk as Buffer])
      if (answer.length >= 4 && answer.length >= 4 + answer.readInt32BE(0)) settle(answer.toString('hex'))
    })
  })
}
