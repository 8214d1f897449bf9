/** A case of the contract: requests against an empty registry and what Confluent's answers to them, and the rows that it stands for. */
import type { Step } from '../../../apps/registry/test/stories.ts'

export interface Case {
  /** Rows of rows.ts. */
  readonly covers: readonly string[]
  readonly name: string
  readonly steps: readonly Step[]
}

export const failure = (error_code: number, message: unknown): object => ({ error_code, message })

/** A request whose answer must only hold these fields, or be this value. */
export const ok = (ask: string, answer: unknown, body?: unknown): Step => ({ ask, answer, ...(body !== undefined && { body }) })
export const no = (ask: string, status: number, error_code: number, message: unknown, body?: unknown): Step => ({
  ask,
  status,
  answer: failure(error_code, message),
  ...(body !== undefined && { body })
})

/** Texts that mean nothing but that they differ, and that any may follow any under NONE. */
export const fixed = (size: number, name = 'F'): string => JSON.stringify({ type: 'fixed', name, size })

/** A record of int fields; a name with `=` has that default. */
export const record = (...fields: string[]): string =>
  JSON.stringify({
    type: 'record',
    name: 'R',
    fields: fields.map(text => {
      const [name, value] = text.split('=')
      return { name, type: 'int', ...(value !== undefined && { default: Number(value) }) }
    })
  })

export const register = (subject: string, schema: string, answer: unknown, more: object = {}): Step =>
  ok(`POST /subjects/${subject}/versions`, answer, { schema, ...more })
