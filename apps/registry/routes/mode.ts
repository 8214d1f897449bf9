/** Modes, which say who may write: of the default context, of other contexts (`:.context:`) and of subjects. */
import { AssayError } from '@assay/errors'
import { modes } from '@assay/registry'
import type { Static } from 'typebox'
import type { RegistryContext } from '../context.ts'
import { t } from '../json-schema.ts'
import { route } from '../route.ts'
import { flag, settingsParam } from './shapes.ts'

const modeReply = t.Object({ mode: t.Optional(t.String()) })
const modeRequest = t.Object(
  {
    mode: t.Optional(
      t.Union([t.String(), t.Null()], { description: `${modes.join(', ')}, in any letter case; null takes the mode away.` })
    )
  },
  { examples: [{ mode: 'READONLY' }] }
)

const inScopeQuery = t.Object({ defaultToGlobal: flag('Answers the mode in force where none is set.') })
const setQuery = t.Object({ force: flag('Switches to IMPORT although there are versions.') })
const deleteQuery = t.Object({
  recursive: flag('For a context: takes the modes of its subjects away, too, also when it has none of its own.')
})

const writeErrors = ['OPERATION_NOT_PERMITTED', 'REGISTRY_BUSY', 'STORE_FULL', 'STORE_FAILED'] as const
const setErrors = ['INVALID_MODE', 'REFERENCE_EXISTS', ...writeErrors] as const

function modeBody(mode: string | undefined): Static<typeof modeReply> {
  return mode === undefined ? {} : { mode }
}

/** Answers the request as it came. */
async function setModeOf(
  subject: string | null,
  { mode }: Static<typeof modeRequest>,
  options: { readonly force: boolean },
  { registry }: RegistryContext
): Promise<Static<typeof modeRequest>> {
  if (mode === undefined) throw new AssayError('INVALID_MODE', { reason: `Valid values are ${modes.join(', ')}` })
  await registry.setMode(subject, mode, options)
  return { mode }
}

export const getMode = route<RegistryContext>()({
  method: 'GET',
  path: '/mode',
  access: 'read',
  says: 'Answers the mode of the default context.',
  errors: [],
  query: inScopeQuery,
  reply: modeReply,
  run: ({ query: { defaultToGlobal } }, { registry }) =>
    modeBody(defaultToGlobal ? registry.modeInScope(null) : registry.mode(null))
})

export const setMode = route<RegistryContext>()({
  method: 'PUT',
  path: '/mode',
  access: 'admin',
  says: 'Sets the mode of the default context and answers the request.',
  errors: setErrors,
  query: setQuery,
  body: modeRequest,
  reply: modeRequest,
  run: ({ query, body }, context) => setModeOf(null, body, query, context)
})

export const deleteMode = route<RegistryContext>()({
  method: 'DELETE',
  path: '/mode',
  access: 'admin',
  says: 'Takes the mode of the default context back to READWRITE and answers what it was.',
  errors: writeErrors,
  query: deleteQuery,
  reply: modeReply,
  run: async ({ query }, { registry }) => modeBody(await registry.deleteMode(null, query))
})

export const getSubjectMode = route<RegistryContext>()({
  method: 'GET',
  path: '/mode/:subject',
  access: 'read',
  says: 'Answers the mode of a subject or context.',
  errors: ['SUBJECT_MODE_NOT_FOUND'],
  params: settingsParam,
  query: inScopeQuery,
  reply: modeReply,
  run: ({ params: { subject }, query: { defaultToGlobal } }, { registry }) => {
    const mode = defaultToGlobal ? registry.modeInScope(subject) : registry.mode(subject)
    if (mode === undefined) throw new AssayError('SUBJECT_MODE_NOT_FOUND', { subject })
    return modeBody(mode)
  }
})

export const setSubjectMode = route<RegistryContext>()({
  method: 'PUT',
  path: '/mode/:subject',
  access: 'admin',
  says: 'Sets the mode of a subject, which need not exist yet, or of a context, and answers the request.',
  errors: ['INVALID_SUBJECT', ...setErrors],
  params: settingsParam,
  query: setQuery,
  body: modeRequest,
  reply: modeRequest,
  run: ({ params: { subject }, query, body }, context) => setModeOf(subject, body, query, context)
})

export const deleteSubjectMode = route<RegistryContext>()({
  method: 'DELETE',
  path: '/mode/:subject',
  access: 'admin',
  says: 'Takes the mode of a subject or context away, so that the one above it is in force, and answers what it was.',
  errors: ['SUBJECT_NOT_FOUND', ...writeErrors],
  params: settingsParam,
  query: deleteQuery,
  reply: modeReply,
  run: async ({ params: { subject }, query }, { registry }) => modeBody(await registry.deleteMode(subject, query))
})

export const modeRoutes = [getMode, setMode, deleteMode, getSubjectMode, setSubjectMode, deleteSubjectMode]
