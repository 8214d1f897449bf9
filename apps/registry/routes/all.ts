/** Every route of the registry. */
import type { RegistryContext } from '../context.ts'
import type { AnyRoute } from '../route.ts'
import { compatibilityRoutes } from './compatibility.ts'
import { configRoutes } from './config.ts'
import { contextRoutes } from './contexts.ts'
import { modeRoutes } from './mode.ts'
import { schemaRoutes } from './schemas.ts'
import { serviceRoutes } from './service.ts'
import { subjectRoutes } from './subjects.ts'
import { versionRoutes } from './versions.ts'

export const registryRoutes: readonly AnyRoute<RegistryContext>[] = [
  ...serviceRoutes,
  ...schemaRoutes,
  ...subjectRoutes,
  ...versionRoutes,
  ...compatibilityRoutes,
  ...configRoutes,
  ...modeRoutes,
  ...contextRoutes
]
