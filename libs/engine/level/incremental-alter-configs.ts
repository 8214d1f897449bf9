/** IncrementalAlterConfigs: sets, unsets and edits single settings of topics, and of the broker those that stand in for them. */
import { AssayError } from '@assay/errors'
import type { incrementalAlterConfigs, RequestOf } from '@assay/protocol'
import { alterEach, type ConfigOwner, checkNamedOnce, givenValue, ownerOf } from './config-changes.ts'
import { elementsOf, invalidConfig } from './config-values.ts'
import type { Handler } from './context.ts'

type Edit = RequestOf<typeof incrementalAlterConfigs>['resources'][number]['configs'][number]

/** Kafka's `AlterConfigOp.OpType`. */
const OPERATION = { set: 0, delete: 1, append: 2, subtract: 3 } as const

export const answerIncrementalAlterConfigs: Handler<typeof incrementalAlterConfigs> = async (level, { body }) => {
  const { validateOnly } = body
  const responses = await alterEach(body.resources, async resource => {
    const owner = ownerOf(level, resource)
    checkNamedOnce(owner, resource)
    await owner.configure(
      configs => {
        const changed = new Map(configs)
        for (const edit of resource.configs) apply(owner, changed, edit)
        return changed
      },
      { validateOnly }
    )
  })
  return { throttleTimeMs: 0, responses }
}

function apply(owner: ConfigOwner, configs: Map<string, string>, { name: given, configOperation, value }: Edit): void {
  const name = owner.nameOf(given)
  switch (configOperation) {
    case OPERATION.delete:
      configs.delete(name)
      return
    case OPERATION.set:
      configs.set(...owner.read(given, givenValue(given, value)))
      return
    case OPERATION.append:
    case OPERATION.subtract: {
      if (!owner.isList(name)) throw invalidConfig(given, 'it is not a list')
      const [, read] = owner.read(given, givenValue(given, value))
      const edited = new Set(elementsOf(owner.inForce(configs, name)))
      for (const element of elementsOf(read)) {
        if (configOperation === OPERATION.append) edited.add(element)
        else edited.delete(element)
      }
      configs.set(name, [...edited].join(','))
      return
    }
    default:
      throw new AssayError('INVALID_REQUEST', { reason: `There is no operation ${configOperation}.` })
  }
}
