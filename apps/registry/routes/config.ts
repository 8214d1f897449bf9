/** Settings of the default context, of other contexts (`:.context:`) and of subjects: compatibility levels and all that goes with them. */
import { AssayError } from '@assay/errors'
import { type Config, type ConfigUpdate, compatibilityPolicies } from '@assay/registry'
import type { Static, TNull, TOptional, TSchema, TUnion } from 'typebox'
import type { RegistryContext } from '../context.ts'
import { t } from '../json-schema.ts'
import { route } from '../route.ts'
import { metadataBody, ruleSetBody } from './answers.ts'
import { flag, metadata, ruleSet, settingsParam } from './shapes.ts'

const LEVELS = 'NONE, or BACKWARD, FORWARD or FULL, each with or without _TRANSITIVE'

/** What the settings are called everywhere; the level alone has another name in a request than in an answer. */
const fields = {
  alias: t.String({ description: 'The subject that requests for this one go to.' }),
  aliasForDeks: t.String({ description: 'The same for data encryption keys, which are not kept here.' }),
  normalize: t.Boolean({ description: 'Whether schemas are normalised although a request does not ask.' }),
  validateFields: t.Boolean({
    description: 'Whether fields that the metadata property `confluent:reserved` names are kept free.'
  }),
  validateNewSchemas: t.Boolean({
    description: 'Whether names and defaults of new schemas are checked strictly; they are unless this is false.'
  }),
  validateRules: t.Boolean({ description: 'Kept for clients; the shape of rules is always checked.' }),
  compatibilityPolicy: t.String({ description: `${compatibilityPolicies.join(', ')}, in any letter case.` }),
  compatibilityGroup: t.String({ description: 'A metadata property: only versions with the same value of it are compared.' }),
  defaultMetadata: metadata,
  overrideMetadata: metadata,
  defaultRuleSet: ruleSet,
  overrideRuleSet: ruleSet
}

const nullable = <T extends TSchema>(schema: T): TOptional<TUnion<[T, TNull]>> => t.Optional(t.Union([schema, t.Null()]))
const nullableFields = Object.fromEntries(Object.entries(fields).map(([name, schema]) => [name, nullable(schema)])) as {
  [Name in keyof typeof fields]: TOptional<TUnion<[(typeof fields)[Name], TNull]>>
}

const configReply = t.Partial(t.Object({ ...fields, compatibilityLevel: t.String({ description: `${LEVELS}.` }) }), {
  title: 'Config'
})
const configRequest = t.Object(
  { ...nullableFields, compatibility: nullable(t.String({ description: `${LEVELS}; in any letter case.` })) },
  {
    title: 'ConfigUpdate',
    description: 'What is left out stays as it is; null takes a setting away.',
    examples: [{ compatibility: 'FULL_TRANSITIVE' }]
  }
)

const inScopeQuery = t.Object({
  defaultToGlobal: flag(
    'Answers the settings in force: those that are set here, and the others from the context and from `:.__GLOBAL:`.'
  )
})

const writeErrors = ['OPERATION_NOT_PERMITTED', 'REGISTRY_BUSY', 'STORE_FULL', 'STORE_FAILED'] as const
const setErrors = ['INVALID_COMPATIBILITY_LEVEL', 'INVALID_RULE_SET', ...writeErrors] as const

/** Only what is known: the rest of a body is nobody's setting. */
function updateOf(body: Static<typeof configRequest>): ConfigUpdate {
  return Object.fromEntries(Object.entries(body).filter(([name]) => Object.hasOwn(configRequest.properties, name)))
}

function configBody({ defaultMetadata, overrideMetadata, defaultRuleSet, overrideRuleSet, ...config }: Config) {
  return {
    ...config,
    ...(defaultMetadata && { defaultMetadata: metadataBody(defaultMetadata) }),
    ...(overrideMetadata && { overrideMetadata: metadataBody(overrideMetadata) }),
    ...(defaultRuleSet && { defaultRuleSet: ruleSetBody(defaultRuleSet) }),
    ...(overrideRuleSet && { overrideRuleSet: ruleSetBody(overrideRuleSet) })
  }
}

/** Settings under the names that a request gives them. */
function echoOf(config: Config): Static<typeof configRequest> {
  const { compatibilityLevel, ...rest } = configBody(config)
  return { ...rest, ...(compatibilityLevel && { compatibility: compatibilityLevel }) }
}

export const getConfig = route<RegistryContext>()({
  method: 'GET',
  path: '/config',
  access: 'read',
  says: 'Answers the settings of the default context.',
  errors: [],
  query: inScopeQuery,
  reply: configReply,
  run: ({ query: { defaultToGlobal } }, { registry }) =>
    configBody(defaultToGlobal ? registry.configInScope(null) : (registry.config(null) ?? {}))
})

export const setConfig = route<RegistryContext>()({
  method: 'PUT',
  path: '/config',
  access: 'config',
  says: 'Changes settings of the default context and answers all of them.',
  errors: setErrors,
  body: configRequest,
  reply: configRequest,
  run: async ({ body }, { registry }) => echoOf(await registry.setConfig(null, updateOf(body)))
})

export const deleteConfig = route<RegistryContext>()({
  method: 'DELETE',
  path: '/config',
  access: 'config',
  says: 'Takes the settings of the default context back to the default and answers what they were.',
  errors: writeErrors,
  reply: configReply,
  run: async (_input, { registry }) => configBody(await registry.deleteConfig(null))
})

export const getSubjectConfig = route<RegistryContext>()({
  method: 'GET',
  path: '/config/:subject',
  access: 'read',
  says: 'Answers the settings of a subject or context.',
  errors: ['SUBJECT_CONFIG_NOT_FOUND'],
  params: settingsParam,
  query: inScopeQuery,
  reply: configReply,
  run: ({ params: { subject }, query: { defaultToGlobal } }, { registry }) => {
    const config = defaultToGlobal ? registry.configInScope(subject) : registry.config(subject)
    if (config === undefined) throw new AssayError('SUBJECT_CONFIG_NOT_FOUND', { subject })
    return configBody(config)
  }
})

export const setSubjectConfig = route<RegistryContext>()({
  method: 'PUT',
  path: '/config/:subject',
  access: 'config',
  says: 'Changes settings of a subject, which need not exist yet, or of a context, and answers all of them.',
  errors: ['INVALID_SUBJECT', ...setErrors],
  params: settingsParam,
  body: configRequest,
  reply: configRequest,
  run: async ({ params: { subject }, body }, { registry }) => echoOf(await registry.setConfig(subject, updateOf(body)))
})

export const deleteSubjectConfig = route<RegistryContext>()({
  method: 'DELETE',
  path: '/config/:subject',
  access: 'config',
  says: 'Takes the settings of a subject or context away, so that those above are in force, and answers what they were.',
  errors: ['SUBJECT_NOT_FOUND', ...writeErrors],
  params: settingsParam,
  reply: configReply,
  run: async ({ params: { subject } }, { registry }) => configBody(await registry.deleteConfig(subject))
})

export const configRoutes = [getConfig, setConfig, deleteConfig, getSubjectConfig, setSubjectConfig, deleteSubjectConfig]
