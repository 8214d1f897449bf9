import { fetch } from '@assay/protocol'
import { describe, expect, test } from 'vitest'
import { type FeatureUpdate, faultOf, featuresOf } from './features.ts'

const served = (key: number, max: number) => ({ api: { ...fetch, key }, versions: [0, max] as const })

describe('features', () => {
  test.each([
    ['nothing without the APIs', [served(1, 18), served(26, 4)], []],
    ['groups of KIP-848 with their heartbeat', [served(68, 1)], ['group.version 1']],
    ['transactions of KIP-890 with EndTxn 5', [served(26, 5)], ['transaction.version 2']]
  ])('%s', (_, apis, expected) => {
    expect(featuresOf(apis).map(({ name, level }) => `${name} ${level}`)).toEqual(expected)
  })

  test.each<[string, Partial<FeatureUpdate>, RegExp | undefined]>([
    ['the level in force', { maxVersionLevel: 2 }, undefined],
    ['the level in force, as a lowering', { maxVersionLevel: 2, upgradeType: 2 }, undefined],
    ['a higher level', { maxVersionLevel: 3 }, /only supports versions 2-2/],
    ['a lower level without leave', { maxVersionLevel: 1 }, /Can't downgrade/],
    ['a lower level with leave', { maxVersionLevel: 0, upgradeType: 2 }, /only supports versions 2-2/],
    ['a lower level whatever is lost', { maxVersionLevel: 0, upgradeType: 3 }, /only supports versions 2-2/],
    ['another feature', { feature: 'kraft.version', maxVersionLevel: 1 }, /does not support this feature/],
    ['no level', { maxVersionLevel: -1 }, /cannot be less than 0/],
    ['no type', { maxVersionLevel: 2, upgradeType: 0 }, /upgrade type/]
  ])('asked for %s', (_, update, expected) => {
    const features = [{ name: 'transaction.version', level: 2 }]
    const fault = faultOf(features, 0, { feature: 'transaction.version', maxVersionLevel: 2, upgradeType: 1, ...update })
    if (expected === undefined) expect(fault).toBeUndefined()
    else expect(fault).toMatch(expected)
  })
})
