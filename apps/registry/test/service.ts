/** A service over an empty registry in memory, for tests. */
import type { PartitionLog } from '@assay/log'
import { openRegistry, type Registry } from '@assay/registry'
import { silentLogger, systemClock } from '@assay/std'
import type { FastifyInstance } from 'fastify'
import { openTestLog } from '../../../libs/registry/test/log.ts'
import { buildHttp, type HttpLimits } from '../server.ts'

export interface Service {
  readonly app: FastifyInstance
  readonly registry: Registry
  readonly log: PartitionLog
  /** One request; a body that is not a text is sent as JSON. The answer's body is parsed when it is JSON. */
  ask(line: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  close(): Promise<void>
}

export interface Answer {
  readonly status: number
  readonly type: string | undefined
  readonly body: unknown
}

export async function openService({ log, limits }: { log?: PartitionLog; limits?: Partial<HttpLimits> } = {}): Promise<Service> {
  const used = log ?? (await openTestLog())
  const registry = await openRegistry({ log: used, clock: systemClock })
  const app = buildHttp({ registry, logger: silentLogger, ...(limits && { limits }) })
  return {
    app,
    registry,
    log: used,
    async ask(line, body, headers = {}) {
      const [method = '', url = ''] = line.split(' ')
      const payload = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
      const answer = await app.inject({ method: method as 'GET', url, headers, ...(payload !== undefined && { payload }) })
      const type = answer.headers['content-type']
      return { status: answer.statusCode, type: type === undefined ? undefined : String(type), body: parsed(answer.body) }
    },
    async close() {
      await app.close()
      await registry.close()
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
