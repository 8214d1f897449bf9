/** Audit events as they stand in their topic, on a whole engine in memory. */
import { readFileSync } from 'node:fs'
import { canonicalText, compileCodec, framedId, parseSchema, WIRE_FORMAT_BYTES } from '@assay/avro'
import { decodeBatch } from '@assay/records'
import type { AuditEvent } from '@assay/security'
import { type Facts, type Logger, silentLogger } from '@assay/std'
import { describe, expect, test } from 'vitest'
import { openEngine, type TestEngine } from '../engine/level/engine.fixture.ts'
import { auditEvents, createAuditTopic } from './audit.ts'
import { AUDIT_TOPIC, type AuditRecord, auditSchemaText } from './audit-schema.ts'

const codec = compileCodec<AuditRecord>(parseSchema(auditSchemaText), { long: 'number', time: 'raw' })

const event = (over: Partial<AuditEvent> = {}): AuditEvent => ({
  principal: 'User:anna',
  address: '10.0.0.7',
  request: 'POST /subjects/orders-value/versions',
  operation: 'write',
  resource: { type: 'subject', name: 'orders-value' },
  outcome: 'allowed',
  errorCode: null,
  requestId: 'r-1',
  atMs: 1_700_000_000_123,
  ...over
})

async function storedIn({ engine }: TestEngine): Promise<AuditRecord[]> {
  const batches = await engine.partition(AUDIT_TOPIC, 0)!.read(0, { bytesMax: 100_000_000 })
  return batches.flatMap(batch =>
    decodeBatch(batch, 1 << 20).map(({ value }) => {
      expect(framedId(value!)).toBe(7)
      return codec.decode(value!.subarray(WIRE_FORMAT_BYTES))
    })
  )
}

function loud(): { readonly logger: Logger; readonly errors: Facts[] } {
  const errors: Facts[] = []
  return { logger: { ...silentLogger, error: facts => errors.push(facts) }, errors }
}

describe('audit events', () => {
  test('are written in order, under the schema that is registered at the first', async () => {
    const opened = await openEngine()
    await createAuditTopic(opened.engine, opened.session)
    await createAuditTopic(opened.engine, opened.session)
    let registered = 0
    const schemaId = async (): Promise<number> => {
      registered++
      return 7
    }
    const sink = auditEvents({ engine: opened.engine, schemaId, session: opened.session, logger: silentLogger })
    await sink.close()
    expect(registered).toBe(0)
    sink.report(event())
    sink.report(event({ outcome: 'denied', errorCode: 40301, requestId: 'r-2' }))
    sink.report(event({ principal: 'User:ANONYMOUS', operation: null, resource: null, outcome: 'failed', errorCode: 40101 }))
    await sink.close()
    expect(registered).toBe(1)
    expect(await storedIn(opened)).toEqual([
      {
        principal: 'User:anna',
        address: '10.0.0.7',
        request: 'POST /subjects/orders-value/versions',
        operation: 'write',
        resourceType: 'subject',
        resourceName: 'orders-value',
        outcome: 'ALLOWED',
        errorCode: null,
        requestId: 'r-1',
        at: 1_700_000_000_123
      },
      expect.objectContaining({ outcome: 'DENIED', errorCode: 40301, requestId: 'r-2' }),
      expect.objectContaining({ outcome: 'FAILED', operation: null, resourceType: null, resourceName: null })
    ])
  })

  test('that come too fast are counted and said, and the rest is written', async () => {
    const opened = await openEngine()
    await createAuditTopic(opened.engine, opened.session)
    const { logger, errors } = loud()
    const sink = auditEvents({ engine: opened.engine, schemaId: async () => 7, session: opened.session, logger })
    for (let n = 0; n < 10_300; n++) sink.report(event({ requestId: `r-${n}` }))
    await sink.close()
    const stored = await storedIn(opened)
    // One was on its way when the others began to wait.
    expect(stored.map(({ requestId }) => requestId)).toEqual(Array.from({ length: 10_001 }, (_, n) => `r-${n}`))
    expect(errors).toEqual([{ topic: '_assay.audit', count: 299 }])
  })

  test('that cannot be written are said in the log and stop nobody', async () => {
    const opened = await openEngine()
    const { logger, errors } = loud()
    let known = false
    const schemaId = async (): Promise<number> => {
      if (!known) throw new Error('no registry')
      return 7
    }
    const sink = auditEvents({ engine: opened.engine, schemaId, session: opened.session, logger })
    sink.report(event())
    await sink.close()
    expect(errors).toEqual([{ topic: '_assay.audit', err: new Error('no registry'), count: 1 }])
    known = true
    await createAuditTopic(opened.engine, opened.session)
    sink.report(event({ requestId: 'later' }))
    await sink.close()
    expect(await storedIn(opened)).toEqual([expect.objectContaining({ requestId: 'later' })])
  })

  test('have the schema of the schemas folder', () => {
    const file = new URL('../../schemas/assay/_assay.audit/value.avsc', import.meta.url)
    expect(canonicalText(parseSchema(auditSchemaText))).toBe(canonicalText(parseSchema(readFileSync(file, 'utf8'))))
  })
})
