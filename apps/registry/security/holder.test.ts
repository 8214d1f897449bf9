import { openRegistry } from '@assay/registry'
import { systemClock } from '@assay/std'
import { expect, test } from 'vitest'
import { openTestLog } from '../../../libs/registry/test/log.ts'
import { holderFor } from './holder.ts'

test('the holder that was found is asked first, and only for as long as it holds the schema and is his', async () => {
  const registry = await openRegistry({ log: await openTestLog(), clock: systemClock })
  for (const subject of ['a', 'b', 'c']) await registry.register(subject, { schema: '"int"' })
  const { schema } = registry.schemaById(1)
  const asked: string[] = []
  let his = ['b', 'c']
  const may = (_operation: string, _type: string, name: string): boolean => {
    asked.push(name)
    return his.includes(name)
  }
  const rights = { may, verdict: () => 'none' as const, mayAny: () => false }
  const holder = (): string | undefined => {
    asked.length = 0
    return holderFor(rights, 'read', schema)?.subject
  }
  expect([holder(), asked.join()]).toEqual(['b', 'a,b'])
  expect([holder(), asked.join()]).toEqual(['b', 'b'])
  his = ['c']
  expect([holder(), asked.join()]).toEqual(['c', 'b,a,b,c'])
  await registry.deleteSubject('c')
  expect(holder()).toBe('c')
  await registry.deleteSubject('c', { permanent: true })
  expect([holder(), asked.join()]).toEqual([undefined, 'a,b'])
  await registry.close()
})
