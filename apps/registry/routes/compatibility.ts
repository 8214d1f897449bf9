/** Compatibility checks without registration. */
import { isAssayError } from '@assay/errors'
import type { Checked } from '@assay/registry'
import { type Static, Type as t } from 'typebox'
import type { RegistryContext } from '../context.ts'
import { route } from '../route.ts'
import { flag, parseVersion, schemaRequest, subjectParam, versionParams } from './shapes.ts'

const finding = t.Object({
  type: t.String(),
  version: t.Integer({ description: 'The earlier version that the candidate was compared with.' }),
  direction: t.String({
    description: 'BACKWARD: the candidate cannot read that version; FORWARD: that version cannot read the candidate.'
  }),
  path: t.String({ description: 'JSON pointer into the schema.' }),
  place: t.String({ description: 'Where in the data.' }),
  says: t.String(),
  message: t.String(),
  reason: t.String(),
  reader: t.String(),
  writer: t.String(),
  mend: t.String()
})

const checkReply = t.Object({
  is_compatible: t.Boolean(),
  messages: t.Optional(t.Array(t.String(), { description: "With verbose: every incompatibility, in Confluent's words." })),
  findings: t.Optional(
    t.Array(finding, { description: 'With verbose: every incompatibility, with its place and how to mend it.' })
  )
})

const checkQuery = t.Object({
  normalize: flag('Normalises the schema first.'),
  verbose: flag('Answers the reasons; a schema that cannot be parsed is then incompatible instead of an error.')
})

/** The verdict as a body, counted. */
function answer(check: () => Checked, verbose: boolean, { metrics }: RegistryContext): Static<typeof checkReply> {
  try {
    const { isCompatible, messages, findings } = check()
    metrics.checked(isCompatible)
    return { is_compatible: isCompatible, ...(verbose && { messages: [...messages], findings: [...findings] }) }
  } catch (error) {
    if (!verbose || !isAssayError(error, 'INVALID_SCHEMA')) throw error
    metrics.checked(false)
    return { is_compatible: false, messages: [error.message], findings: [] }
  }
}

export const checkVersion = route<RegistryContext>()({
  method: 'POST',
  path: '/compatibility/subjects/:subject/versions/:version',
  says: 'Checks a schema against one version of a subject, under the level in force; `latest` of an unknown subject is compatible.',
  errors: ['VERSION_NOT_FOUND', 'INVALID_VERSION', 'INVALID_SCHEMA', 'UNSUPPORTED_SCHEMA_TYPE'],
  params: versionParams,
  query: checkQuery,
  body: schemaRequest,
  reply: checkReply,
  run: ({ params: { subject, version }, query: { normalize, verbose }, body }, context) => {
    const against = parseVersion(version)
    return answer(() => context.registry.checkCompatibility(subject, against, body, { normalize }), verbose, context)
  }
})

export const checkSubject = route<RegistryContext>()({
  method: 'POST',
  path: '/compatibility/subjects/:subject/versions',
  says: 'Checks a schema as a registration under the subject would.',
  errors: ['INVALID_SCHEMA', 'UNSUPPORTED_SCHEMA_TYPE'],
  params: subjectParam,
  query: checkQuery,
  body: schemaRequest,
  reply: checkReply,
  run: ({ params: { subject }, query: { normalize, verbose }, body }, context) =>
    answer(() => context.registry.checkCompatibility(subject, 'all', body, { normalize }), verbose, context)
})

export const compatibilityRoutes = [checkVersion, checkSubject]
