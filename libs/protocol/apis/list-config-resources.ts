/** Tells what has settings (KIP-1142). Version 0 knows client metrics alone (KIP-714). */
import { api } from '../api.ts'
import { array, int8, int16, int32, string } from '../field.ts'

export const listConfigResources = api({
  name: 'ListConfigResources',
  key: 74,
  versions: [0, 1],
  flexibleSince: 0,
  request: {
    resourceTypes: array(int8).from(1)
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    configResources: array({
      resourceName: string,
      resourceType: int8.from(1).default(16)
    })
  }
})
