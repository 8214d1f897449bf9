/** Compatibility levels and normalisation, of the whole registry and of subjects. */
import { AssayError } from '@assay/errors'
import type { Config, ConfigUpdate } from '@assay/registry'
import { type Static, Type as t } from 'typebox'
import type { RegistryContext } from '../context.ts'
import { route } from '../route.ts'
import { flag, subjectParam } from './shapes.ts'

const configReply = t.Object({ normalize: t.Optional(t.Boolean()), compatibilityLevel: t.Optional(t.String()) })
const configRequest = t.Object({
  compatibility: t.Optional(
    t.String({ description: 'NONE, or BACKWARD, FORWARD or FULL, each with or without _TRANSITIVE; in any letter case.' })
  ),
  normalize: t.Optional(t.Boolean({ description: 'Whether schemas are normalised although a request does not ask.' }))
})

const writeErrors = ['OPERATION_NOT_PERMITTED', 'REGISTRY_BUSY', 'STORE_FAILED'] as const

/** Settings of Confluent's registry that would change what happens here; to take them and do nothing would be a lie. */
const NOT_SERVED = [
  'alias',
  'aliasForDeks',
  'validateFields',
  'validateNewSchemas',
  'validateRules',
  'compatibilityPolicy',
  'compatibilityGroup',
  'defaultMetadata',
  'overrideMetadata',
  'defaultRuleSet',
  'overrideRuleSet'
]

function updateOf(body: Static<typeof configRequest>): ConfigUpdate {
  const other = Object.keys(body).find(name => NOT_SERVED.includes(name))
  if (other) throw new AssayError('OPERATION_NOT_PERMITTED', { reason: `This registry does not take the setting '${other}'` })
  if (body.compatibility === undefined && body.normalize === undefined) throw new AssayError('INVALID_COMPATIBILITY_LEVEL', {})
  return body
}

/** Settings under the names that a request gives them. */
function echoOf({ compatibilityLevel, normalize }: Config): Static<typeof configRequest> {
  return { ...(compatibilityLevel && { compatibility: compatibilityLevel }), ...(normalize !== undefined && { normalize }) }
}

export const getConfig = route<RegistryContext>()({
  method: 'GET',
  path: '/config',
  says: 'Answers the settings of the whole registry.',
  errors: [],
  reply: configReply,
  run: (_input, { registry }) => registry.config(null) ?? {}
})

export const setConfig = route<RegistryContext>()({
  method: 'PUT',
  path: '/config',
  says: 'Changes the settings of the whole registry and answers them.',
  errors: ['INVALID_COMPATIBILITY_LEVEL', ...writeErrors],
  body: configRequest,
  reply: configRequest,
  run: async ({ body }, { registry }) => echoOf(await registry.setConfig(null, updateOf(body)))
})

export const deleteConfig = route<RegistryContext>()({
  method: 'DELETE',
  path: '/config',
  says: 'Takes the settings of the whole registry back to the default and answers what they were.',
  errors: [...writeErrors],
  reply: configReply,
  run: (_input, { registry }) => registry.deleteConfig(null)
})

export const getSubjectConfig = route<RegistryContext>()({
  method: 'GET',
  path: '/config/:subject',
  says: 'Answers the settings of a subject.',
  errors: ['SUBJECT_CONFIG_NOT_FOUND'],
  params: subjectParam,
  query: t.Object({ defaultToGlobal: flag('Answers the settings in force when the subject has none of its own.') }),
  reply: configReply,
  run: ({ params: { subject }, query: { defaultToGlobal } }, { registry }) => {
    const config = defaultToGlobal ? registry.configInScope(subject) : registry.config(subject)
    if (config === undefined) throw new AssayError('SUBJECT_CONFIG_NOT_FOUND', { subject })
    return config
  }
})

export const setSubjectConfig = route<RegistryContext>()({
  method: 'PUT',
  path: '/config/:subject',
  says: 'Changes the settings of a subject, which need not exist yet, and answers them.',
  errors: ['INVALID_COMPATIBILITY_LEVEL', 'INVALID_SUBJECT', ...writeErrors],
  params: subjectParam,
  body: configRequest,
  reply: configRequest,
  run: async ({ params: { subject }, body }, { registry }) => echoOf(await registry.setConfig(subject, updateOf(body)))
})

export const deleteSubjectConfig = route<RegistryContext>()({
  method: 'DELETE',
  path: '/config/:subject',
  says: 'Takes the settings of a subject away, so that those of the registry are in force, and answers what they were.',
  errors: ['SUBJECT_NOT_FOUND', ...writeErrors],
  params: subjectParam,
  reply: configReply,
  run: ({ params: { subject } }, { registry }) => registry.deleteConfig(subject)
})

export const configRoutes = [getConfig, setConfig, deleteConfig, getSubjectConfig, setSubjectConfig, deleteSubjectConfig]
