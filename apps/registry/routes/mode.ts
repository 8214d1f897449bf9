/** Modes, which say who may write: read from the journal, obeyed, and shown here. */
import { AssayError } from '@assay/errors'
import { Type as t } from 'typebox'
import type { RegistryContext } from '../context.ts'
import { route } from '../route.ts'
import { flag, subjectParam } from './shapes.ts'

const modeReply = t.Object({ mode: t.String() })

export const getMode = route<RegistryContext>()({
  method: 'GET',
  path: '/mode',
  says: 'Answers the mode of the whole registry.',
  errors: [],
  reply: modeReply,
  run: (_input, { registry }) => ({ mode: registry.mode(null) ?? 'READWRITE' })
})

export const getSubjectMode = route<RegistryContext>()({
  method: 'GET',
  path: '/mode/:subject',
  says: 'Answers the mode of a subject.',
  errors: ['SUBJECT_MODE_NOT_FOUND'],
  params: subjectParam,
  query: t.Object({ defaultToGlobal: flag('Answers the mode in force when the subject has none of its own.') }),
  reply: modeReply,
  run: ({ params: { subject }, query: { defaultToGlobal } }, { registry }) => {
    const mode = defaultToGlobal ? registry.modeInScope(subject) : registry.mode(subject)
    if (mode === undefined) throw new AssayError('SUBJECT_MODE_NOT_FOUND', { subject })
    return { mode }
  }
})

export const modeRoutes = [getMode, getSubjectMode]
