/**
 * Features in Kafka's sense (KIP-584): names with a level, by which clients choose how to talk. What is served decides the level, and
 * nobody can change it: a broker that could do less on demand would be two brokers to test.
 */
import type { ServedApi } from './engine.ts'

export interface Feature {
  readonly name: string
  /** In force, and the only one that is supported. */
  readonly level: number
}

interface Gated extends Feature {
  /** The API, at this version or a later one, that a client of this level uses. */
  readonly needs: { readonly key: number; readonly version: number }
}

/** Kafka bumps this with each change; ours do not change while a server runs. Below 0 clients take no notice of features. */
export const FEATURES_EPOCH = 0

const gated: readonly Gated[] = [
  // ConsumerGroupHeartbeat: the groups of KIP-848.
  { name: 'group.version', level: 1, needs: { key: 68, version: 0 } },
  // EndTxn 5: transactions whose producer epoch rises with each (KIP-890).
  { name: 'transaction.version', level: 2, needs: { key: 26, version: 5 } }
]

export const featuresOf = (served: readonly Pick<ServedApi, 'api' | 'versions'>[]): Feature[] =>
  gated
    .filter(({ needs }) => served.some(({ api, versions }) => api.key === needs.key && versions[1] >= needs.version))
    .map(({ name, level }) => ({ name, level }))

export interface FeatureUpdate {
  readonly feature: string
  readonly maxVersionLevel: number
  /** 1 to raise, 2 to lower without loss, 3 to lower with it. */
  readonly upgradeType: number
}

const [RAISE, LOWER_UNSAFELY] = [1, 3]

/** Why an update cannot be done, in Kafka's words; undefined when there is nothing to do. */
export function faultOf(features: readonly Feature[], nodeId: number, update: FeatureUpdate): string | undefined {
  const { feature, maxVersionLevel: wanted, upgradeType } = update
  const because = (reason: string): string => `Invalid update version ${wanted} for feature ${feature}. ${reason}`
  if (upgradeType < RAISE || upgradeType > LOWER_UNSAFELY)
    return because('The controller does not support the given upgrade type.')
  if (wanted < 0) return because('A feature version cannot be less than 0.')
  const known = features.find(({ name }) => name === feature)
  if (known === undefined) return because(`Local controller ${nodeId} does not support this feature.`)
  if (wanted < known.level && upgradeType === RAISE) {
    return because(
      "Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade."
    )
  }
  if (wanted !== known.level) {
    return because(`Local controller ${nodeId} only supports versions ${known.level}-${known.level}`)
  }
  return undefined
}
