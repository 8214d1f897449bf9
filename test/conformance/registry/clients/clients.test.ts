/** Real registry clients, unmodified, each with a script in its own language, against a served process. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Served, serve } from '../../../served.ts'
import { confluentinc } from './confluentinc.ts'
import { franzGo } from './franz-go.ts'
import { kafkajs } from './kafkajs.ts'
import { python } from './python.ts'
import { type Outcome, runScript, steps } from './scenario.ts'

let served: Served

beforeAll(async () => {
  served = await serve()
})

afterAll(async () => {
  expect(await served.stop()).toBe(0)
})

describe.each([confluentinc, kafkajs, python, franzGo])('$name', client => {
  let missing: string | undefined
  let outcome: Outcome = new Map()

  beforeAll(async () => {
    const command = await client.prepare()
    if ('missing' in command) missing = command.missing
    else outcome = await runScript(command, served.http)
  }, 300_000)

  test.for(steps.filter(name => client.lacks[name] === undefined))('%s', (name, context) => {
    if (missing !== undefined) return context.skip(missing)
    expect(outcome.has(name), 'the script has this step').toBe(true)
    expect(outcome.get(name)).toBeUndefined()
  })

  test('takes no step that it is said to lack', context => {
    if (missing !== undefined) return context.skip(missing)
    expect(Object.keys(client.lacks).filter(name => outcome.has(name))).toEqual([])
  })
})
