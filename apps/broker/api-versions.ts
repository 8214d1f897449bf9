/** Answers ApiVersions from what the engine serves (KIP-511). */
import { type Engine, FEATURES_EPOCH, type Feature, featuresOf } from '@assay/engine'
import {
  type AnyApi,
  apiVersions,
  errorCode,
  produce,
  type RequestOf,
  type ResponseOf,
  saslAuthenticate,
  saslHandshake
} from '@assay/protocol'

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
    [...served, ...doorApis.map(entryOf)].sort((a, b) => a.apiKey - b.apiKey),
    featuresOf(engine.apis)
  )
}

/** To a version that we do not know we answer in the oldest form, naming the versions of this API alone, so that the client can ask again. */
export function answerUnknownApiVersions(): Response {
  return response('UNSUPPORTED_VERSION', [entryOf(apiVersions)])
}

/** What the door answers itself. */
export const doorApis: readonly AnyApi[] = [apiVersions, saslHandshake, saslAuthenticate]
const entryOf = ({ key, versions }: AnyApi) => ({ apiKey: key, minVersion: versions[0], maxVersion: versions[1] })

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
    supportedFeatures: features.map(({ name, level }) => ({ name, minVersion: level, maxVersion: level })),
    finalizedFeaturesEpoch: error === 'NONE' ? BigInt(FEATURES_EPOCH) : -1n,
    finalizedFeatures: features.map(({ name, level }) => ({ name, minVersionLevel: level, maxVersionLevel: level })),
    zkMigrationReady: false
  }
}
