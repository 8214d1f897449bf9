/** Quotas from the command line to a client that has to wait; and users and ACLs that the command line makes for the Kafka door. */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createTopics, errorName, produce } from '@assay/protocol'
import { encodeBatch } from '@assay/records'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { temporaryDirectory } from '../../served.ts'
import { dialTls, logInPlain, passwordOf, type SecuredServer, securedServer } from './secured-server.ts'

let secured: SecuredServer
const directory = temporaryDirectory()
const passwordFile = join(directory, 'password')

beforeAll(async () => {
  secured = await securedServer({
    users: ['anna', 'shop'],
    superUsers: ['anna'],
    acls: ['shop allow write topic orders'],
    tls: 'none'
  })
  writeFileSync(passwordFile, `${passwordOf('anna')}\n`)
})
afterAll(() => secured.close())

/** In a process of its own, while this one serves. */
async function assay(line: string): Promise<{ readonly out: string; readonly err: string; readonly code: number }> {
  const bin = join(import.meta.dirname, '../../../apps/cli/bin/assay.js')
  const access = ['--bootstrap', secured.server.kafka, '--bootstrap-user', 'anna', '--bootstrap-password-file', passwordFile]
  const args = [bin, ...line.split(' '), ...access, '--bootstrap-ca', secured.files.ca]
  const child = spawn(process.execPath, args, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const code = await new Promise<number>(resolve => child.once('close', status => resolve(status ?? -1)))
  return { out, err, code }
}

test('a quota is set, listed, obeyed and removed', async () => {
  expect((await assay('topic create orders')).err).toBe('')
  expect(await assay('quota set --user shop --produce 10000 -o json')).toMatchObject({ code: 0, err: '' })
  expect(JSON.parse((await assay('quota list -o json')).out)).toEqual([{ user: 'shop', producer_byte_rate: 10_000 }])
  const client = await dialTls(secured)
  await logInPlain(client, 'shop')
  const send = async (): Promise<number> => {
    const records = encodeBatch({ records: [{ key: null, value: Buffer.alloc(9000) }], baseTimestampMs: 1 })
    const topicData = [{ name: 'orders', topicId: '0'.repeat(32), partitionData: [{ index: 0, records }] }]
    const answer = await client.ask(produce, 9, { transactionalId: null, acks: -1, timeoutMs: 1000, topicData })
    expect(answer.responses[0]!.partitionResponses[0]!.errorCode).toBe(0)
    return answer.throttleTimeMs
  }
  const began = performance.now()
  const waits = [await send(), await send(), await send()]
  // Two seconds' worth beyond the first: the third is not even looked at before the wait of the second is over.
  expect(waits[0]).toBe(0)
  expect(waits[1]).toBeGreaterThan(500)
  expect(performance.now() - began).toBeGreaterThan(waits[1]! - 50)
  client.close()
  expect((await assay('quota remove --user shop')).code).toBe(0)
  expect(JSON.parse((await assay('quota list -o json')).out)).toEqual([])
}, 60_000)

test('partitions that come and go are bounded, and a client that knows the error is refused', async () => {
  const set = await assay('quota set --user anna --client raw --mutations 0.01 --requests 95.5 -o json')
  expect(JSON.parse(set.out)).toEqual({ user: 'anna', client: 'raw', request_percentage: 95.5, controller_mutation_rate: 0.01 })
  const client = await dialTls(secured)
  await logInPlain(client, 'anna')
  const wish = { numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
  const topics = ['first', 'second'].map(name => ({ name, ...wish }))
  const answer = await client.ask(createTopics, 7, { topics, timeoutMs: 1000, validateOnly: false })
  client.close()
  expect(answer.topics.map(({ name, errorCode }) => [name, errorName(errorCode)])).toEqual([
    ['first', 'NONE'],
    ['second', 'THROTTLING_QUOTA_EXCEEDED']
  ])
  expect(answer.throttleTimeMs).toBeGreaterThan(80_000)
  expect((await assay('quota remove --user anna --client raw --mutations')).code).toBe(0)
  expect(JSON.parse((await assay('quota list -o json')).out)).toEqual([{ user: 'anna', client: 'raw', request_percentage: 95.5 }])
  expect((await assay('quota remove --user anna --client raw')).code).toBe(0)
  expect(JSON.parse((await assay('quota list -o json')).out)).toEqual([])
}, 60_000)

test.each([
  ...['topic list', 'topic describe orders', 'group list', 'quota list', 'transaction list', 'transaction find-hanging'],
  ...['cluster describe', 'cluster features', 'cluster log-dirs', 'cluster config', 'group describe billing']
])('%s tells the broker who asks, over TLS', async line => {
  if (line === 'group describe billing') {
    const options = '--topic orders --to-earliest --yes'
    expect(await assay(`group reset-offsets billing ${options}`)).toMatchObject({ code: 0, err: '' })
  }
  expect(await assay(`${line} -o json`)).toMatchObject({ code: 0, err: '' })
})

test.each([
  ['quota set --produce 5', /Say whose quota/],
  ['quota set --user x', /Say how much/],
  ['quota set --user x --every-user --produce 5', /give one of them/],
  ['quota set --user x --requests 0', /a number above 0/],
  ['quota set --user x --mutations many', /a number above 0/],
  ['quota set --user x --produce 0', /whole number from 1 up/]
])('%s is refused', async (line, says) => {
  const { code, err } = await assay(line)
  expect([code > 0, err]).toEqual([true, expect.stringMatching(says)])
})
