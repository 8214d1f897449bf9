import { afterEach, expect, test } from 'vitest'
import { rawClient } from '../raw-client.ts'
import type { Served } from '../served.ts'
import { native } from './powercut/native.ts'
import { createTopic, send, servedDisk, valuesIn } from './served-disk.ts'

const CYCLES = 10
const RECOVERED_MS_MAX = 5000
const shim = native('shim')
let served: Served | undefined
afterEach(() => served?.kill())

test(`a disk that runs full ${CYCLES} times under a server: refused to be tried again, taken again within five seconds, nothing lost`, async ({
  skip
}) => {
  if ('reason' in shim) return skip(shim.reason)
  const disk = servedDisk(shim.path)
  served = await disk.start()
  const client = await rawClient(served.kafka)
  await createTopic(client)
  const acknowledged: string[] = []
  let refused = 0
  let longestMs = 0
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    for (let at = 0; at < 20; at++) {
      expect(await send(client, `${cycle}/${at}`)).toBe('NONE')
      acknowledged.push(`${cycle}/${at}`)
    }
    disk.set('full', true)
    for (let at = 0; at < 5; at++) {
      expect(await send(client, `${cycle}/refused ${at}`)).toBe('KAFKA_STORAGE_ERROR')
      refused++
    }
    expect(await valuesIn(client)).toEqual(acknowledged)
    disk.set('full', false)
    const freedAt = performance.now()
    while ((await send(client, `${cycle}/again`)) !== 'NONE') {
      expect(performance.now() - freedAt, served.log()).toBeLessThan(RECOVERED_MS_MAX)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    longestMs = Math.max(longestMs, performance.now() - freedAt)
    acknowledged.push(`${cycle}/again`)
  }
  expect(await valuesIn(client)).toEqual(acknowledged)
  client.close()
  await served.kill()
  served = await disk.start()
  const again = await rawClient(served.kafka)
  expect(await valuesIn(again)).toEqual(acknowledged)
  again.close()
  console.log(`${acknowledged.length} acknowledged, ${refused} refused, taken again after ${Math.round(longestMs)} ms at most`)
}, 240_000)

test('what a disk failed to sync is never acknowledged, and nothing after it until the next start', async ({ skip }) => {
  if ('reason' in shim) return skip(shim.reason)
  const disk = servedDisk(shim.path)
  served = await disk.start()
  const client = await rawClient(served.kafka)
  await createTopic(client)
  const acknowledged: string[] = []
  for (let at = 0; at < 20; at++) {
    expect(await send(client, `before ${at}`)).toBe('NONE')
    acknowledged.push(`before ${at}`)
  }
  disk.set('eio', true)
  const unsure = ['failed', 'after 0', 'after 1', 'after 2']
  expect(await send(client, unsure[0]!)).toBe('KAFKA_STORAGE_ERROR')
  disk.set('eio', false)
  // The kernel may have thrown away what it could not write: a sync that succeeds now says nothing of what failed.
  for (const value of unsure.slice(1)) expect(await send(client, value)).toBe('KAFKA_STORAGE_ERROR')
  expect(await valuesIn(client)).toEqual(acknowledged)
  expect(served.log()).toMatch(/EIO|Input\/output|i\/o error/i)
  client.close()
  await served.stop()
  served = await disk.start()
  const again = await rawClient(served.kafka)
  const found = await valuesIn(again)
  expect(found.slice(0, acknowledged.length)).toEqual(acknowledged)
  expect(unsure).toEqual(expect.arrayContaining(found.slice(acknowledged.length)))
  expect(await send(again, 'the next start takes it')).toBe('NONE')
  again.close()
}, 120_000)
