import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { renderOpenApi } from './openapi.ts'
import { registryRoutes } from './routes/all.ts'
import { backupRoutes } from './routes/backup.ts'
import { eventRoutes } from './routes/events.ts'

test('operations have different names', () => {
  const { paths } = JSON.parse(renderOpenApi([...registryRoutes, ...eventRoutes, ...backupRoutes])) as {
    paths: Record<string, Record<string, { operationId: string }>>
  }
  const names = Object.values(paths).flatMap(methods => Object.values(methods).map(({ operationId }) => operationId))
  expect(new Set(names).size).toBe(names.length)
  expect(names).toContain('postSubjectsSubjectVersions')
})

test('docs/reference/openapi.json is what the routes say; `npm run generate` writes it', () => {
  const golden = join(import.meta.dirname, '../../docs/reference/openapi.json')
  expect(renderOpenApi([...registryRoutes, ...eventRoutes, ...backupRoutes])).toBe(readFileSync(golden, 'utf8'))
})
