/** Answers ApiVersions from what the engine serves (KIP-511). */
import type { Engine } from '@assay/engine'
import { apiVersions, consumerGroupHeartbeat, errorCode, produce, type RequestOf, type ResponseOf } from '@assay/protocol'

type Response = ResponseOf<typeof apiVersions>

/** KIP-511: what a client may call itself. */
const SOFTWARE_NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/
const NAMES_SINCE = 3

export function answerApiVersions(engine: Engine, version: number, body: RequestOf<typeof apiVersions>): Response {
  const named = SOFTWARE_NAME.test(body.clientSoftwareName) && SOFTWARE_NAME.test(body.clientSoftwareVersion)
  if (version >= NAMES_SINCE && !named) return response('INVALID_REQUEST', [])
  const served = engine.apis.map(({ api, versions: [min, max] }) => ({
    apiKey: api.key,
    minVersion: minOf(api.key, min),
    maxVersion: max
  }))
  return response(
    'NONE',
    [...served, own()].sort((a, b) => a.apiKey - b.apiKey),
    featuresOf(engine)
  )
}

interface Feature {
  readonly name: string
  readonly level: number
}

/** KIP-848: a client speaks the consumer protocol when `group.version` is 1. What comes from another broker is told by that broker. */
const featuresOf = (engine: Engine): Feature[] =>
  engine.apis.some(({ api }) => api.key === consumerGroupHeartbeat.key) ? [{ name: 'group.version', level: 1 }] : []

/** To a version that we do not know we answer in the oldest form, naming the versions of this API alone, so that the client can ask again. */
export function answerUnknownApiVersions(): Response {
  return response('UNSUPPORTED_VERSION', [own()])
}

const own = () => ({ apiKey: apiVersions.key, minVersion: apiVersions.versions[0], maxVersion: apiVersions.versions[1] })

/** librdkafka takes a Produce minimum above 0 for a broker without compression (KAFKA-18659); the old versions are refused when they come. */
const minOf = (key: number, min: number): number => (key === produce.key ? (produce.advertised?.[0] ?? min) : min)

function response(
  error: Parameters<typeof errorCode>[0],
  apiKeys: Response['apiKeys'],
  features: readonly Feature[] = []
): Response {
  return {
    errorCode: errorCode(error),
    apiKeys,
    throttleTimeMs: 0,
    supportedFeatures: features.map(({ name, level }) => ({ name, minVersion: 0, maxVersion: level })),
    finalizedFeaturesEpoch: features.length > 0 ? 0n : -1n,
    finalizedFeatures: features.map(({ name, level }) => ({ name, maxVersionLevel: level, minVersionLevel: level })),
    zkMigrationReady: false
  }
}
