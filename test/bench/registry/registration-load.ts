/** Registrations against the clock, in a process of its own: reads one order as JSON on stdin, prints one JSON line. */
import { text } from 'node:stream/consumers'
import { httpCaller } from '../../http-caller.ts'
import { measuredSchema } from './schemas.ts'

export interface RegistrationOrder {
  /** Each schema to a subject of its own, or all as versions of one. */
  readonly to: 'new subjects' | 'one subject'
  readonly url: string
  /** Tells the subjects of one order from those of another. */
  readonly name: string
  readonly count: number
  readonly inFlight: number
  /** Ends after this with what was done until then. */
  readonly secondsMax: number
}

export interface RegistrationOutcome {
  readonly seconds: number
  /** One for each registration, in milliseconds, in order. */
  readonly latencies: readonly number[]
}

if (import.meta.main) {
  const order = JSON.parse(await text(process.stdin)) as RegistrationOrder
  console.log(JSON.stringify(await register(order)))
}

async function register({ to, url, name, count, inFlight, secondsMax }: RegistrationOrder): Promise<RegistrationOutcome> {
  const server = httpCaller(url, { connections: inFlight })
  const call = async (method: string, path: string, body: object): Promise<number> => {
    const { status, body: said, millis } = await server.call(method, path, body)
    if (status !== 200) throw new Error(`${method} ${path} was answered with ${status}: ${said.slice(0, 300)}`)
    return millis
  }
  const isOne = to === 'one subject'
  const schemas = Array.from({ length: count }, (_, at) => (isOne ? measuredSchema(name, at) : measuredSchema(`${name}_${at}`)))
  const latencies: number[] = []
  let next = 0
  let first = 0
  if (isOne) {
    // The level of a subject that is not there yet cannot be set everywhere.
    await call('POST', `/subjects/${name}/versions`, { schema: schemas[0] })
    await call('PUT', `/config/${name}`, { compatibility: 'BACKWARD_TRANSITIVE' })
    first = 1
  }
  next = first
  const started = performance.now()
  const end = started + secondsMax * 1000
  const lane = async (): Promise<void> => {
    while (next < count && performance.now() < end) {
      const at = next++
      latencies.push(await call('POST', `/subjects/${isOne ? name : `${name}-${at}`}/versions`, { schema: schemas[at] }))
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
  const seconds = (performance.now() - started) / 1000
  server.close()
  return { seconds, latencies }
}
