/** JSON over HTTP on kept connections, each answer with its time and nothing retried: for tests that must know what became of every request. */
import { Agent, request } from 'node:http'

export interface Called {
  readonly status: number
  readonly body: string
  /** From the call to the end of the answer. */
  readonly millis: number
}

export interface HttpCaller {
  /** Rejects when the connection fails or nothing is answered in time: then nobody knows whether it was done, unless `isUnheard`. */
  call(method: string, path: string, body?: object): Promise<Called>
  close(): void
}

export interface CallerOptions {
  /** Requests beyond so many wait for a connection. */
  readonly connections?: number
  readonly timeoutMs?: number
}

export function httpCaller(url: string, { connections = 1, timeoutMs = 20_000 }: CallerOptions = {}): HttpCaller {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  return {
    call: (method, path, body) =>
      new Promise((resolve, reject) => {
        const text = body === undefined ? undefined : JSON.stringify(body)
        const headers =
          text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
        const called = performance.now()
        const asked = request(`${url}${path}`, { method, agent, headers, timeout: timeoutMs }, answer => {
          const parts: Buffer[] = []
          answer.on('data', (part: Buffer) => parts.push(part))
          answer.on('error', reject)
          answer.on('end', () =>
            resolve({
              status: answer.statusCode ?? 0,
              body: Buffer.concat(parts).toString(),
              millis: performance.now() - called
            })
          )
        })
        asked.on('timeout', () => asked.destroy(new Error(`${method} ${path} was not answered in ${timeoutMs} ms`)))
        asked.on('error', reject)
        asked.end(text)
      }),
    close: () => agent.destroy()
  }
}

/** The connection was refused: no server has seen the request. */
export const isUnheard = (error: unknown): boolean => (error as { code?: string }).code === 'ECONNREFUSED'
