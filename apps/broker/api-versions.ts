/** Answers ApiVersions from what the engine serves (KIP-511). */
import type { Engine } from '@assay/engine'
import { type AnyApi, apiVersions, endTxn, errorCode, produce, type RequestOf, type ResponseOf } from '@assay/protocol'

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
    featuresOf(engine, version)
  )
}

interface Feature {
  readonly name: string
  readonly level: number
  /** Only newer clients bear a feature that may be off (KIP-1022): older ones are not told what is supported, but what is in force. */
  readonly isSupportTold: boolean
}

/** What is in force where the API is served. With `transaction.version` 2 producers work by the second transaction protocol (KIP-890). */
const features: readonly { readonly api: AnyApi; readonly name: string; readonly level: number }[] = [
  { api: endTxn, name: 'transaction.version', level: 2 }
]
const LEVEL_ZERO_SINCE = 4

/** What comes from another broker is told by that broker. */
const featuresOf = (engine: Engine, version: number): Feature[] =>
  features
    .filter(feature => engine.apis.some(({ api }) => api.key === feature.api.key))
    .map(({ name, level }) => ({ name, level, isSupportTold: version >= LEVEL_ZERO_SINCE }))

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
  inForce: readonly Feature[] = []
): Response {
  return {
    errorCode: errorCode(error),
    apiKeys,
    throttleTimeMs: 0,
    supportedFeatures: inForce
      .filter(({ isSupportTold }) => isSupportTold)
      .map(({ name, level }) => ({ name, minVersion: 0, maxVersion: level })),
    finalizedFeaturesEpoch: inForce.length > 0 ? 0n : -1n,
    finalizedFeatures: inForce.map(({ name, level }) => ({ name, maxVersionLevel: level, minVersionLevel: level })),
    zkMigrationReady: false
  }
}
