/** Tells settings of topics and brokers with their defaults and where they come from. */
import { api } from '../api.ts'
import { array, bool, int8, int16, int32, string } from '../field.ts'

export const describeConfigs = api({
  name: 'DescribeConfigs',
  key: 32,
  versions: [1, 4],
  flexibleSince: 4,
  request: {
    resources: array({
      resourceType: int8,
      resourceName: string,
      configurationKeys: array(string).nullable()
    }),
    includeSynonyms: bool,
    includeDocumentation: bool.from(3)
  },
  response: {
    throttleTimeMs: int32,
    results: array({
      errorCode: int16,
      errorMessage: string.nullable(),
      resourceType: int8,
      resourceName: string,
      configs: array({
        name: string,
        value: string.nullable(),
        readOnly: bool,
        configSource: int8.default(-1),
        isSensitive: bool,
        synonyms: array({
          name: string,
          value: string.nullable(),
          source: int8
        }),
        configType: int8.from(3),
        documentation: string.nullable().from(3)
      })
    })
  }
})
