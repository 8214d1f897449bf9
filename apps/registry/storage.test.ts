/** What the service says while nothing can be written. */
import { AssayError } from '@assay/errors'
import { openLogOver } from '@assay/log'
import { openRegistry } from '@assay/registry'
import { silentLogger, systemClock } from '@assay/std'
import { memoryStore } from '@assay/store'
import { afterEach, expect, test } from 'vitest'
import { buildHttp } from './server.ts'

let close: () => Promise<void>
afterEach(() => close())

/** A registry on a disk with so many bytes free, of which a thousand are kept. */
async function opened(free: number, failure?: AssayError) {
  const log = await openLogOver({
    ...{ journal: memoryStore(), index: memoryStore(), clock: systemClock, logger: silentLogger },
    ...{ freeBytes: async () => free, diskFreeBytesMin: 1000 }
  })
  await new Promise(resolve => setImmediate(resolve))
  const registry = await openRegistry({ log: log.partition({ topicId: 'a'.repeat(32), partition: 0 }), clock: systemClock })
  const app = buildHttp({ registry, logger: silentLogger, storageRefusal: () => failure ?? log.refusal })
  close = async () => {
    await app.close()
    await registry.close()
    await log.close()
  }
  const ask = async (url: string) => {
    const answer = await app.inject({ method: 'GET', url })
    return { status: answer.statusCode, body: answer.json() as unknown }
  }
  const register = () => app.inject({ method: 'POST', url: '/subjects/s/versions', payload: '{"schema":"\\"int\\""}' })
  return { ask, register }
}

test('with space enough it is well, and registers', async () => {
  const { ask, register } = await opened(1000)
  expect((await register()).statusCode).toBe(200)
  expect(await ask('/health')).toMatchObject({ status: 200, body: { status: 'ok' } })
  expect((await ask('/health')).body).not.toHaveProperty('reason')
  expect(await ask('/_health')).toMatchObject({ status: 200, body: { healthy: true } })
  expect(await ask('/master_available')).toEqual({ status: 200, body: { master_available: true } })
})

test('with too little space it refuses to register, to be asked again, and says what is wrong: a restart would not help', async () => {
  const { ask, register } = await opened(999)
  const refused = await register()
  expect([refused.statusCode, refused.headers['retry-after']]).toEqual([503, '1'])
  expect(refused.json()).toEqual({
    error_code: 50304,
    message:
      'The store could not append: 999 bytes are free on the disk, and 1000 are kept free. It goes on by itself once there is space'
  })
  expect(await ask('/subjects')).toEqual({ status: 200, body: [] })
  expect(await ask('/health')).toMatchObject({
    status: 200,
    body: { status: 'full', reason: expect.stringContaining('999 bytes are free') }
  })
  expect(await ask('/_health')).toMatchObject({ status: 200, body: { healthy: false, status: { schema_registry_ready: true } } })
  expect(await ask('/master_available')).toEqual({ status: 200, body: { master_available: false } })
})

test('after a write that failed in another way it is not ready until it is started again, and still reads', async () => {
  const { ask } = await opened(1000, new AssayError('STORE_FAILED', { action: 'append: an earlier write failed (EIO)' }))
  expect(await ask('/health')).toMatchObject({ status: 503, body: { status: 'failed', reason: expect.stringContaining('EIO') } })
  expect(await ask('/_health')).toMatchObject({ status: 503, body: { healthy: false, status: { schema_registry_ready: false } } })
  expect(await ask('/master_available')).toEqual({ status: 200, body: { master_available: false } })
  expect(await ask('/subjects')).toEqual({ status: 200, body: [] })
})
