/** Real clients, unmodified, over TLS with each SASL mechanism: who may goes round, who may not is told so, and who is not known does not get in. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Admin, Consumer, Producer, type SASLOptions, stringDeserializers, stringSerializers } from '@platformatic/kafka'
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  Kafka,
  type SASLOptions as KafkajsSasl,
  logLevel,
  ResourcePatternTypes
} from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { rawClientOver } from '../../raw-client.ts'
import { pythonEnvironment } from '../clients/python-environment.ts'
import { dialTls, logInPlain, logInScram, passwordOf, type SecuredServer, securedServer } from './secured-server.ts'

const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const
type Mechanism = (typeof mechanisms)[number]

let secured: SecuredServer

beforeAll(async () => {
  secured = await securedServer({
    users: ['anna', 'shop', 'stranger'],
    superUsers: ['anna'],
    acls: [
      'shop allow write topic orders',
      'shop allow create topic orders',
      'shop allow read topic orders',
      'shop allow read group readers*'
    ],
    tls: 'none',
    settings: { loginFailuresMax: 1000 }
  })
})
afterAll(() => secured.close())

interface Who {
  readonly mechanism: Mechanism
  readonly user: string
  readonly password: string
  readonly token: string
}

interface Driver {
  readonly name: string
  /** Sends a value and reads it with a group; answers the error text of the client when it is refused. */
  roundTrip(who: Who, value: string): Promise<string | undefined>
}

const TOPIC = 'orders'
let groups = 0
const newGroup = (): string => `readers-${++groups}`

const kafkajs: Driver = {
  name: 'kafkajs',
  async roundTrip(who, value) {
    const kafka = kafkajsOf(who)
    const producer = kafka.producer()
    const consumer = kafka.consumer({ groupId: newGroup() })
    try {
      await producer.connect()
      await producer.send({ topic: TOPIC, messages: [{ value }] })
      await consumer.connect()
      await consumer.subscribe({ topic: TOPIC, fromBeginning: true })
      const { promise, resolve } = Promise.withResolvers<void>()
      await consumer.run({
        eachMessage: async ({ message }) => {
          if (message.value?.toString() === value) resolve()
        }
      })
      await promise
      return undefined
    } catch (error) {
      return String(error)
    } finally {
      await producer.disconnect()
      await consumer.disconnect()
    }
  }
}

function kafkajsOf({ mechanism, user, password, token }: Who): Kafka {
  const sasl = (
    mechanism === 'OAUTHBEARER'
      ? { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: token }) }
      : { mechanism: mechanism.toLowerCase(), username: user, password }
  ) as KafkajsSasl
  return new Kafka({
    clientId: 'secured',
    brokers: [secured.server.kafka],
    ssl: { ca: [readFileSync(secured.files.ca, 'utf8')] },
    sasl,
    logLevel: logLevel.NOTHING,
    retry: { retries: 2, initialRetryTime: 50 }
  })
}

function platformaticOf({ mechanism, user, password, token }: Who) {
  const sasl: SASLOptions = mechanism === 'OAUTHBEARER' ? { mechanism, token } : { mechanism, username: user, password }
  return {
    clientId: 'secured',
    bootstrapBrokers: [secured.server.kafka],
    sasl,
    tls: { ca: readFileSync(secured.files.ca) },
    retries: 1,
    retryDelay: 50
  }
}

const platformatic: Driver = {
  name: '@platformatic/kafka',
  async roundTrip(who, value) {
    const producer = new Producer({ ...platformaticOf(who), serializers: stringSerializers, autocreateTopics: true })
    const consumer = new Consumer({ ...platformaticOf(who), groupId: newGroup(), deserializers: stringDeserializers })
    try {
      await producer.send({ messages: [{ topic: TOPIC, value }] })
      const stream = await consumer.consume({ topics: [TOPIC], mode: 'earliest', autocommit: true })
      for await (const message of stream) if (message.value === value) break
      await stream.close()
      return undefined
    } catch (error) {
      return textOf(error)
    } finally {
      await producer.close()
      await consumer.close(true)
    }
  }
}

/** The library wraps what the broker said in layers. */
function textOf(error: unknown): string {
  const { errors = [], cause, apiId } = error as { errors?: unknown[]; cause?: unknown; apiId?: unknown }
  return [String(error), String(apiId), ...errors.map(textOf), ...(cause ? [textOf(cause)] : [])].join(' ')
}

let python = ''
async function askPython(request: object): Promise<Record<string, unknown>> {
  const child = spawn(python, ['-W', 'ignore', join(import.meta.dirname, 'client.py')], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(JSON.stringify({ bootstrap: secured.server.kafka, ca: secured.files.ca, topic: TOPIC, ...request }))
  let out = ''
  for await (const chunk of child.stdout) out += chunk
  return JSON.parse(out) as Record<string, unknown>
}

const pythonConfluent: Driver = {
  name: 'Python confluent-kafka',
  async roundTrip(who, value) {
    const answer = await askPython({ verb: 'round trip', ...who, expiresS: Date.now() / 1000 + 600, value, group: newGroup() })
    return answer['error'] as string | undefined
  }
}

const who = async (mechanism: Mechanism, user: string, password = passwordOf(user)): Promise<Who> => ({
  mechanism,
  user,
  password,
  token: await secured.tokenOf(user, password === passwordOf(user) ? {} : { audience: 'others' })
})

beforeAll(() => {
  const environment = pythonEnvironment()
  if ('python' in environment) python = environment.python
}, 300_000)

describe.each([kafkajs, platformatic, pythonConfluent].map(driver => ({ name: driver.name, driver })))('$name', ({ driver }) => {
  test.for(mechanisms)('by %s', { timeout: 90_000 }, async (mechanism, context) => {
    if (driver === pythonConfluent && python === '') return context.skip('Python is not there')
    expect(await driver.roundTrip(await who(mechanism, 'shop'), `${driver.name} ${mechanism}`)).toBeUndefined()
    expect(await driver.roundTrip(await who(mechanism, 'stranger'), 'x')).toMatch(
      /not authorized|authorization failed|TOPIC_AUTHORIZATION_FAILED/i
    )
    expect(await driver.roundTrip(await who(mechanism, 'shop', 'guess'), 'x')).toMatch(/authentication|SASL/i)
  })
})

test('kafkajs makes ACLs, shows them and takes them away; the other door and the file have them at once', async () => {
  const admin = kafkajsOf(await who('SCRAM-SHA-512', 'anna')).admin()
  await admin.connect()
  const acl = {
    resourceType: AclResourceTypes.TOPIC,
    resourceName: 'made-by-kafkajs',
    resourcePatternType: ResourcePatternTypes.LITERAL,
    principal: 'User:stranger',
    host: '*',
    operation: AclOperationTypes.READ,
    permissionType: AclPermissionTypes.ALLOW
  }
  const read = () =>
    fetch(`${secured.server.http}/v1/topics/made-by-kafkajs/events`, {
      headers: { authorization: `Basic ${Buffer.from(`stranger:${passwordOf('stranger')}`).toString('base64')}` }
    }).then(answer => answer.status)
  try {
    expect(await read()).toBe(403)
    expect(await admin.createAcls({ acl: [acl] })).toBe(true)
    expect(await read()).toBe(404)
    expect(readFileSync(secured.securityFile, 'utf8')).toContain('made-by-kafkajs')
    const { resources } = await admin.describeAcls({ ...acl, principal: 'User:stranger', resourceName: undefined as never })
    expect(resources).toEqual([
      {
        resourceType: AclResourceTypes.TOPIC,
        resourceName: 'made-by-kafkajs',
        resourcePatternType: ResourcePatternTypes.LITERAL,
        acls: [
          { principal: 'User:stranger', host: '*', operation: AclOperationTypes.READ, permissionType: AclPermissionTypes.ALLOW }
        ]
      }
    ])
    const { filterResponses } = await admin.deleteAcls({ filters: [acl] })
    expect(filterResponses[0]!.matchingAcls.length).toBe(1)
    expect(await read()).toBe(403)
  } finally {
    await admin.disconnect()
  }
})

test('confluent-kafka makes ACLs and a user, who logs in with the password that never came to the server', async context => {
  if (python === '') return context.skip('Python is not there')
  const request = { ...(await who('SCRAM-SHA-512', 'anna')), verb: 'admin', made: 'carla', madePassword: 'a new password' }
  expect(await askPython(request)).toEqual({
    found: [['orders', 'WRITE', 'PREFIXED']],
    scram: [['SCRAM_SHA_256', 4096]],
    removed: 1,
    left: 0
  })
  for (const logIn of [
    (client: ReturnType<typeof rawClientOver>) => logInScram(client, 'SCRAM-SHA-256', 'carla', 'a new password'),
    (client: ReturnType<typeof rawClientOver>) => logInPlain(client, 'carla', 'a new password')
  ]) {
    const client = await dialTls(secured)
    expect((await logIn(client)).errorCode).toBe(0)
    client.close()
  }
  const client = await dialTls(secured)
  expect((await logInScram(client, 'SCRAM-SHA-512', 'carla', 'a new password')).errorCode).toBe(58)
}, 60_000)

test('@platformatic/kafka lists topics that its user may see', async () => {
  const admin = new Admin(platformaticOf(await who('PLAIN', 'shop')))
  const all = new Admin(platformaticOf(await who('PLAIN', 'anna')))
  try {
    expect(await admin.listTopics({ includeInternals: true })).toEqual([TOPIC])
    expect(await all.listTopics({ includeInternals: true })).toContain('_assay.audit')
  } finally {
    await Promise.all([admin.close(), all.close()])
  }
})
