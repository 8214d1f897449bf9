/** Python confluent-kafka (librdkafka) with its AvroSerializer and AvroDeserializer, in a virtual environment that the test makes. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Doors, Driver, Received } from './driver.ts'
import { pythonEnvironment } from './python-environment.ts'

const script = join(import.meta.dirname, 'client.py')
let python = ''

interface Line {
  readonly [fact: string]: unknown
}

async function ask(doors: Doors, verb: string, request: object): Promise<Line> {
  const child = start(doors, verb)
  child.stdin!.end(JSON.stringify(request))
  let answer: Line | undefined
  for await (const line of createInterface({ input: child.stdout! })) answer = JSON.parse(line) as Line
  if (!answer) throw new Error(`client.py ${verb} said nothing`)
  if (answer['error']) throw new Error(String(answer['error']))
  return answer
}

function start({ http, kafka }: Doors, verb: string): ChildProcess {
  return spawn(python, ['-W', 'ignore', script, verb, http, kafka], { stdio: ['pipe', 'pipe', 'inherit'] })
}

export const pythonConfluent: Driver = {
  name: 'Python confluent-kafka',

  async prepare() {
    const environment = pythonEnvironment()
    if ('missing' in environment) return environment.missing
    python = environment.python
    return undefined
  },

  register: async (doors, subject, schema) => Number((await ask(doors, 'register', { subject, schema }))['id']),

  async produce(doors, topic, visits) {
    await ask(doors, 'produce', { topic, visits })
  },

  async sendRaw(doors, topic, value) {
    const answer = await ask(doors, 'raw', { topic, value: value.toString('hex') })
    return answer['refused'] === null ? undefined : String(answer['refused'])
  },

  async join(doors, group, topic, onVisit) {
    const child = start(doors, 'join')
    child.stdin!.write(`${JSON.stringify({ group, topic })}\n`)
    createInterface({ input: child.stdout! }).on('line', line => onVisit(JSON.parse(line) as Received))
    return {
      async stop() {
        child.stdin!.end()
        if (child.exitCode === null) await once(child, 'exit')
      }
    }
  }
}
