/** Tells which APIs are served at which versions. Its response header has no tagged fields at any version (KIP-511). */
import { api } from '../api.ts'
import { array, bool, int16, int32, int64, string } from '../field.ts'

export const apiVersions = api({
  name: 'ApiVersions',
  key: 18,
  versions: [0, 5],
  flexibleSince: 3,
  request: {
    clientSoftwareName: string.from(3),
    clientSoftwareVersion: string.from(3),
    clusterId: string.nullable().from(5).default(null),
    nodeId: int32.from(5).default(-1)
  },
  response: {
    errorCode: int16,
    apiKeys: array({
      apiKey: int16,
      minVersion: int16,
      maxVersion: int16
    }),
    throttleTimeMs: int32.from(1),
    supportedFeatures: array({
      name: string,
      minVersion: int16,
      maxVersion: int16
    })
      .from(3)
      .tagged(0),
    finalizedFeaturesEpoch: int64.from(3).tagged(1).default(-1n),
    finalizedFeatures: array({
      name: string,
      maxVersionLevel: int16,
      minVersionLevel: int16
    })
      .from(3)
      .tagged(2),
    zkMigrationReady: bool.from(3).tagged(3)
  }
})
