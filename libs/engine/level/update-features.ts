/** UpdateFeatures: what is asked for is either in force already or cannot be had (features.ts). All updates of a request or none. */
import { errorCode, type updateFeatures } from '@assay/protocol'
import { faultOf } from '../features.ts'
import type { Handler } from './context.ts'

const [RAISE, LOWER_SAFELY] = [1, 2]

export const answerUpdateFeatures: Handler<typeof updateFeatures> = (level, { version, body }) => {
  for (const update of body.featureUpdates) {
    // Version 0 has a flag in place of the type.
    const upgradeType = version > 0 ? update.upgradeType : update.allowDowngrade ? LOWER_SAFELY : RAISE
    const fault = faultOf(level.features, level.nodeId, { ...update, upgradeType })
    if (fault === undefined) continue
    return {
      throttleTimeMs: 0,
      errorCode: errorCode('INVALID_UPDATE_VERSION'),
      errorMessage: `The update failed for all features since the following feature had an error: ${fault}`,
      results: []
    }
  }
  return {
    throttleTimeMs: 0,
    errorCode: 0,
    errorMessage: null,
    // Kafka has the name of the error where other APIs have null.
    results: body.featureUpdates.map(({ feature }) => ({ feature, errorCode: 0, errorMessage: 'NONE' }))
  }
}
