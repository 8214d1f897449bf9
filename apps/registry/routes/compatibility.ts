/** Compatibility checks without registration. */
import { isAssayError } from '@assay/errors'
import type { SchemaRequest, VersionNumber } from '@assay/registry'
import type { Static } from 'typebox'
import type { RegistryContext } from '../context.ts'
import { t } from '../json-schema.ts'
import { route } from '../route.ts'
import { flag, normalizeQuery, parseVersion, schemaRequest, subjectParam, versionParams } from './shapes.ts'

/** What findings and warnings have in common. */
const noted = {
  type: t.String({ description: 'The rule.' }),
  path: t.String({ description: "JSON pointer into the reader's schema." }),
  place: t.String({ description: "Where in the reader's data." }),
  says: t.String({ description: 'Who reads what, as in `v5 cannot read v2`.' }),
  reason: t.String(),
  reader: t.String({ description: "The reader's type there, shortened." }),
  writer: t.String({ description: "The writer's; empty where there is none." }),
  mend: t.String({ description: 'What to change.' })
}
const version = t.Integer({ description: 'The earlier version that the candidate was compared with.' })
const direction = t.String({
  description: 'BACKWARD: the candidate reads that version; FORWARD: that version reads the candidate.'
})

const finding = t.Object(
  {
    ...noted,
    version,
    direction,
    readerPath: t.String({ description: 'JSON pointer into the schema that reads, also inside the branches of unions.' }),
    writerPath: t.String({ description: 'JSON pointer into the schema that wrote.' }),
    message: t.String({ description: "Java's message." }),
    rewrite: t.Optional(
      t.Object(
        { path: t.String(), add: t.Record(t.String(), t.Unknown()) },
        { description: 'A mend for programs: attributes for the object at the JSON pointer; tried, and it helps.' }
      )
    )
  },
  { title: 'Finding' }
)
const warning = t.Object({ ...noted, version: t.Optional(version), direction: t.Optional(direction) }, { title: 'Warning' })

const checkReply = t.Object({
  is_compatible: t.Boolean(),
  messages: t.Optional(t.Array(t.String(), { description: "With verbose: every incompatibility, in Confluent's words." })),
  findings: t.Optional(
    t.Array(finding, { description: 'With verbose: every incompatibility, with its place and how to mend it.' })
  ),
  warnings: t.Optional(
    t.Array(warning, { description: 'With verbose: what the level lets through although data change their meaning.' })
  )
})

const checkQuery = t.Object({
  ...normalizeQuery,
  verbose: flag('Answers the reasons; a schema that cannot be parsed is then incompatible instead of an error.')
})

/** The verdict as a body, counted. */
async function answer(
  { registry, metrics }: RegistryContext,
  subject: string,
  against: VersionNumber | 'all',
  { body, query: { normalize, verbose } }: { readonly body: SchemaRequest; readonly query: Static<typeof checkQuery> }
): Promise<Static<typeof checkReply>> {
  try {
    const checked = await registry.checkCompatibility(subject, against, body, { normalize, warnings: verbose })
    metrics.checked(checked.isCompatible)
    if (!verbose) return { is_compatible: checked.isCompatible }
    const [messages, findings, warnings] = [[...checked.messages], [...checked.findings], [...checked.warnings]]
    return { is_compatible: checked.isCompatible, messages, findings, warnings }
  } catch (error) {
    if (!verbose || !(isAssayError(error, 'INVALID_SCHEMA') || isAssayError(error, 'UNSUPPORTED_SCHEMA_TYPE'))) throw error
    metrics.checked(false)
    return { is_compatible: false, messages: [error.message], findings: [], warnings: [] }
  }
}

export const checkVersion = route<RegistryContext>()({
  method: 'POST',
  path: '/compatibility/subjects/:subject/versions/:version',
  access: 'read',
  says: 'Checks a schema against one version of a subject, under the level in force; `latest` of an unknown subject is compatible.',
  errors: ['VERSION_NOT_FOUND', 'INVALID_VERSION', 'INVALID_SCHEMA', 'UNSUPPORTED_SCHEMA_TYPE', 'SCHEMA_TOO_LARGE'],
  params: versionParams,
  query: checkQuery,
  body: schemaRequest,
  reply: checkReply,
  run: ({ params: { subject, version }, ...request }, context) => answer(context, subject, parseVersion(version), request)
})

export const checkSubject = route<RegistryContext>()({
  method: 'POST',
  path: '/compatibility/subjects/:subject/versions',
  access: 'read',
  says: 'Checks a schema as a registration under the subject would.',
  errors: ['INVALID_SCHEMA', 'UNSUPPORTED_SCHEMA_TYPE', 'SCHEMA_TOO_LARGE'],
  params: subjectParam,
  query: checkQuery,
  body: schemaRequest,
  reply: checkReply,
  run: ({ params: { subject }, ...request }, context) => answer(context, subject, 'all', request)
})

export const compatibilityRoutes = [checkVersion, checkSubject]
