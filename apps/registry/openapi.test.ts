import { expect, test } from 'vitest'
import { renderOpenApi } from './openapi.ts'
import { registryRoutes } from './routes/all.ts'
import { eventRoutes } from './routes/events.ts'

test('operations have different names', () => {
  const { paths } = JSON.parse(renderOpenApi([...registryRoutes, ...eventRoutes])) as {
    paths: Record<string, Record<string, { operationId: string }>>
  }
  const names = Object.values(paths).flatMap(methods => Object.values(methods).map(({ operationId }) => operationId))
  expect(new Set(names).size).toBe(names.length)
  expect(names).toContain('postSubjectsSubjectVersions')
})
