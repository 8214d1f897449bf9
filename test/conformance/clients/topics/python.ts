/** Python confluent-kafka (librdkafka), one process for a whole scenario. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pythonEnvironment } from '../python-environment.ts'
import { codecs, type Read, type TopicClient, type TopicDriver } from './driver.ts'

const script = join(import.meta.dirname, 'topics.py')

interface Answer {
  readonly answer?: unknown
  readonly refused?: string
}

export const pythonConfluent: TopicDriver = {
  name: 'Python confluent-kafka',
  codecs,
  readsAppendTime: true,
  async prepare() {
    const environment = pythonEnvironment()
    return 'missing' in environment ? environment.missing : undefined
  },

  async open(kafka): Promise<TopicClient> {
    const environment = pythonEnvironment()
    if ('missing' in environment) throw new Error(environment.missing)
    const child = spawn(environment.python, ['-W', 'ignore', script, kafka], { stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()

    async function ask(verb: string, ...args: unknown[]): Promise<Answer> {
      child.stdin.write(`${JSON.stringify([verb, ...args])}\n`)
      const { value, done } = await lines.next()
      if (done) throw new Error(`topics.py ${verb} said nothing`)
      return JSON.parse(value) as Answer
    }
    async function answered<T>(verb: string, ...args: unknown[]): Promise<T> {
      const { answer, refused } = await ask(verb, ...args)
      if (refused !== undefined) throw new Error(refused)
      return answer as T
    }
    const attempt = async (verb: string, ...args: unknown[]): Promise<string | undefined> => (await ask(verb, ...args)).refused
    return {
      create: (topic, configs) => answered('create', topic, configs),
      configure: (topic, name, value) => attempt('configure', topic, name, value),
      configOf: (topic, name) => answered('config_of', topic, name),
      deleteRecords: (topic, before) => attempt('delete_records', topic, before),
      offsets: topic => answered('offsets', topic),
      offsetAt: (topic, timestampMs) => answered('offset_at', topic, timestampMs),
      produce: (topic, { codec, values, timestampsMs }) => attempt('produce', topic, codec, values, timestampsMs),
      consume: (topic, count) => answered<Read[]>('consume', topic, count),
      async close() {
        child.stdin.end()
        if (child.exitCode === null) await once(child, 'exit')
      }
    }
  }
}
