/** What the service says of itself. */

import { type AssayError, isAssayError } from '@assay/errors'
import type { RegistryContext } from '../context.ts'
import { docsPolicy } from '../docs.ts'
import { t } from '../json-schema.ts'
import manifest from '../package.json' with { type: 'json' }
import { route } from '../route.ts'

export const getRoot = route<RegistryContext>()({
  method: 'GET',
  path: '/',
  access: 'open',
  says: 'Answers an empty object: clients ask it whether somebody is there.',
  errors: [],
  reply: t.Object({}),
  run: () => ({})
})

export const getHealth = route<RegistryContext>()({
  method: 'GET',
  path: '/health',
  access: 'open',
  says: 'Answers 200 as long as requests are served, with a few facts; 503 once nothing can be written before the process is started again.',
  errors: [],
  reply: t.Object({
    status: t.String({
      description: '`ok`; `full` while there is too little space on the disk to write; `failed` until it is started again.'
    }),
    reason: t.Optional(t.String({ description: 'Why it is not `ok`.' })),
    subjects: t.Integer(),
    schemas: t.Integer(),
    maxSchemaId: t.Integer({ description: 'The highest schema ID ever given.' }),
    journalOffset: t.Integer({ description: 'The first journal offset not yet applied.' })
  }),
  isUnavailable: reply => (reply as { status: string }).status === 'failed',
  run: (_input, { registry, storageRefusal }) => {
    const refusal = storageRefusal()
    const { subjects, schemas, maxSchemaId, nextOffset } = registry.facts()
    const health = refusal === undefined ? { status: 'ok' } : { status: stateOf(refusal), reason: refusal.message }
    return { ...health, subjects, schemas, maxSchemaId, journalOffset: nextOffset }
  }
})

/** Of a full disk it recovers by itself, and a restart would not help. */
const stateOf = (refusal: AssayError): string => (isAssayError(refusal, 'STORE_FULL') ? 'full' : 'failed')

export const getMetrics = route<RegistryContext>()({
  method: 'GET',
  path: '/metrics',
  access: 'listed',
  says: "Answers the counters in Prometheus' text format.",
  errors: [],
  reply: t.String(),
  sends: { mediaType: 'text/plain; version=0.0.4; charset=utf-8' },
  run: (_input, { metrics }) => metrics.set.text()
})

export const getOpenApi = route<RegistryContext>()({
  method: 'GET',
  path: '/openapi.json',
  access: 'listed',
  says: 'Answers the description of this API as OpenAPI 3.1.',
  errors: [],
  reply: t.String(),
  sends: 'json text',
  run: (_input, { openApi }) => openApi()
})

export const getDocs = route<RegistryContext>()({
  method: 'GET',
  path: '/docs',
  access: 'listed',
  says: 'Answers a page for people that describes this API.',
  errors: [],
  reply: t.String(),
  sends: { mediaType: 'text/html; charset=utf-8' },
  headers: {
    'content-security-policy': docsPolicy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer'
  },
  run: (_input, { docs }) => docs()
})

export const getClusterId = route<RegistryContext>()({
  method: 'GET',
  path: '/v1/metadata/id',
  access: 'listed',
  says: 'Answers which cluster this registry belongs to.',
  errors: [],
  reply: t.Object({
    scope: t.Object({
      path: t.Array(t.String()),
      clusters: t.Object({ 'kafka-cluster': t.String(), 'schema-registry-cluster': t.String() })
    })
  }),
  run: (_input, { clusterId }) => ({
    scope: { path: [], clusters: { 'kafka-cluster': clusterId, 'schema-registry-cluster': 'schema-registry' } }
  })
})

export const getVersion = route<RegistryContext>()({
  method: 'GET',
  path: '/v1/metadata/version',
  access: 'listed',
  says: 'Answers which version of Assay this is.',
  errors: [],
  reply: t.Object({ version: t.String() }),
  run: () => ({ version: manifest.version })
})

export const getDeployment = route<RegistryContext>()({
  method: 'GET',
  path: '/v1/metadata/deployment',
  access: 'listed',
  says: 'Answers what is special about this deployment: nothing.',
  errors: [],
  reply: t.Object({ attributes: t.Array(t.String()) }),
  run: () => ({ attributes: [] })
})

export const getMasterAvailable = route<RegistryContext>()({
  method: 'GET',
  path: '/master_available',
  access: 'open',
  says: 'Answers whether there is somebody to take writes, in the words of Karapace.',
  errors: [],
  headers: { 'cache-control': 'no-store, no-cache, must-revalidate' },
  reply: t.Object({ master_available: t.Boolean() }),
  run: (_input, { storageRefusal }) => ({ master_available: storageRefusal() === undefined })
})

export const getKarapaceHealth = route<RegistryContext>()({
  method: 'GET',
  path: '/_health',
  access: 'open',
  says: 'Answers the state of the registry in the words of Karapace.',
  errors: [],
  reply: t.Object({
    status: t.Object({
      schema_registry_ready: t.Boolean(),
      schema_registry_startup_time_sec: t.Number(),
      schema_registry_reader_current_offset: t.Integer({ description: 'The last journal offset that was applied; -1 for none.' }),
      schema_registry_reader_highest_offset: t.Integer(),
      schema_registry_is_primary: t.Boolean(),
      schema_registry_is_primary_eligible: t.Boolean(),
      schema_registry_primary_url: t.Null(),
      schema_registry_coordinator_running: t.Boolean(),
      schema_registry_coordinator_generation_id: t.Integer()
    }),
    healthy: t.Boolean({ description: 'False while nothing can be written.' })
  }),
  isUnavailable: reply => !(reply as { status: { schema_registry_ready: boolean } }).status.schema_registry_ready,
  run: (_input, { registry, startupSeconds, storageRefusal }) => {
    const refusal = storageRefusal()
    // The one writer applies what it wrote before it answers: what is read is never behind.
    const offset = registry.facts().nextOffset - 1
    return {
      status: {
        schema_registry_ready: refusal === undefined || stateOf(refusal) === 'full',
        schema_registry_startup_time_sec: startupSeconds,
        schema_registry_reader_current_offset: offset,
        schema_registry_reader_highest_offset: offset,
        schema_registry_is_primary: true,
        schema_registry_is_primary_eligible: true,
        schema_registry_primary_url: null,
        schema_registry_coordinator_running: false,
        schema_registry_coordinator_generation_id: -1
      },
      healthy: refusal === undefined
    }
  }
})

export const serviceRoutes = [
  getRoot,
  getHealth,
  getKarapaceHealth,
  getMasterAvailable,
  getMetrics,
  getOpenApi,
  getDocs,
  getClusterId,
  getVersion,
  getDeployment
]
