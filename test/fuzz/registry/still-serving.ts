/** What was there before an attack is there after it, and the server takes more. */
import { registryClient } from '@assay/client'
import { expect } from 'vitest'
import type { Served } from '../../served.ts'

const SUBJECT = 'kept-through-it-all'
const text = JSON.stringify({ type: 'record', name: 'Kept', fields: [{ name: 'id', type: 'long' }] })

/** Answers the schema ID. */
export const keepSomething = (http: string): Promise<number> => registryClient({ url: http }).register(SUBJECT, { schema: text })

export async function expectServing({ http, pid }: Served, kept: number): Promise<void> {
  const registry = registryClient({ url: http })
  expect((await registry.latest(SUBJECT)).schemaId).toBe(kept)
  const next = await registry.register(`${SUBJECT}-after`, { schema: JSON.stringify({ type: 'fixed', name: 'After', size: 3 }) })
  expect(next).toBeGreaterThan(kept)
  // Throws when there is no such process.
  process.kill(pid, 0)
}
