/** IncrementalAlterConfigs: sets, unsets and edits single settings of topics. */
import { AssayError } from '@assay/errors'
import type { incrementalAlterConfigs, RequestOf, ResponseOf } from '@assay/protocol'
import type { Handler, Level } from './context.ts'
import { RESOURCE } from './describe-configs.ts'
import { refusalOf } from './refusal.ts'
import { canonicalName, configOf, readTopicConfig, topicConfig } from './topic-configs.ts'

type Asked = RequestOf<typeof incrementalAlterConfigs>['resources'][number]
type Edit = Asked['configs'][number]
type Answer = ResponseOf<typeof incrementalAlterConfigs>['responses'][number]

/** Kafka's `AlterConfigOp.OpType`. */
const OPERATION = { set: 0, delete: 1, append: 2, subtract: 3 } as const

export const answerIncrementalAlterConfigs: Handler<typeof incrementalAlterConfigs> = async (level, { body }) => {
  const responses: Answer[] = []
  for (const asked of body.resources) {
    const { resourceType, resourceName } = asked
    try {
      await alter(level, asked, body.validateOnly)
      responses.push({ errorCode: 0, errorMessage: null, resourceType, resourceName })
    } catch (error) {
      responses.push({ ...refusalOf(error), resourceType, resourceName })
    }
  }
  return { throttleTimeMs: 0, responses }
}

async function alter(level: Level, asked: Asked, validateOnly: boolean): Promise<void> {
  if (asked.resourceType !== RESOURCE.topic) {
    throw new AssayError('INVALID_REQUEST', { reason: 'Only the settings of topics can be changed while the server runs.' })
  }
  const names = asked.configs.map(({ name }) => canonicalName(name))
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) throw new AssayError('INVALID_REQUEST', { reason: `Setting '${twice}' is named twice.` })
  const outcome = await level.topics.configure(
    asked.resourceName,
    configs => {
      const changed = new Map(configs)
      for (const edit of asked.configs) apply(changed, edit)
      return changed
    },
    { validateOnly }
  )
  if (outcome instanceof AssayError) throw outcome
}

function apply(configs: Map<string, string>, { name, configOperation, value }: Edit): void {
  const canonical = canonicalName(name)
  if (configOperation === OPERATION.delete) {
    configs.delete(canonical)
    return
  }
  const invalid = (reason: string): AssayError => new AssayError('INVALID_CONFIG', { name, reason })
  if (value === null) throw invalid('it has no value')
  if (configOperation === OPERATION.set) {
    configs.set(...readTopicConfig(name, value))
    return
  }
  if (configOperation !== OPERATION.append && configOperation !== OPERATION.subtract) {
    throw new AssayError('INVALID_REQUEST', { reason: `There is no operation ${configOperation}.` })
  }
  if (topicConfig(canonical)!.kind !== 'list') throw invalid('it is not a list')
  const [, read] = readTopicConfig(name, value)
  const edited = new Set(
    configOf(configs, canonical)
      .split(',')
      .filter(element => element !== '')
  )
  for (const element of read.split(',').filter(one => one !== '')) {
    if (configOperation === OPERATION.append) edited.add(element)
    else edited.delete(element)
  }
  configs.set(canonical, [...edited].join(','))
}
