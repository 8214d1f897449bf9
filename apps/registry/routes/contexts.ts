/** Contexts: rooms with subjects and schema IDs of their own. Whatever stands behind `/contexts/{context}` is answered within the context. */

import type { RegistryContext } from '../context.ts'
import { t } from '../json-schema.ts'
import { contextNamed } from '../paths.ts'
import { route } from '../route.ts'
import { page, pageQuery } from './shapes.ts'

export const listContexts = route<RegistryContext>()({
  method: 'GET',
  path: '/contexts',
  access: 'listed',
  says: 'Lists the names of contexts, `.` first, which is the default one.',
  errors: [],
  query: t.Object({
    contextPrefix: t.String({ default: '', description: 'Only names that begin so, with their leading dot.' }),
    ...pageQuery
  }),
  reply: t.Array(t.String()),
  run: ({ query: { contextPrefix, ...range } }, { registry }) =>
    page(
      registry.contexts().filter(name => name.startsWith(contextPrefix)),
      range
    )
})

export const deleteContext = route<RegistryContext>()({
  method: 'DELETE',
  path: '/contexts/:context',
  access: 'delete',
  says: 'Takes a context without subjects off the list; its schema IDs are never given again.',
  errors: ['CONTEXT_NOT_EMPTY', 'OPERATION_NOT_PERMITTED', 'REGISTRY_BUSY', 'STORE_FULL', 'STORE_FAILED'],
  params: t.Object({ context: t.String({ description: 'Name of the context: `sales`, `.sales` or `:.sales:`.' }) }),
  reply: t.Void(),
  sends: 'nothing',
  run: ({ params: { context } }, { registry }) => registry.deleteContext(contextNamed(context))
})

export const contextRoutes = [listContexts, deleteContext]
