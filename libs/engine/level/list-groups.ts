/** ListGroups: every group this node knows, those that only keep offsets included. */
import type { listGroups } from '@assay/protocol'
import type { Handler } from './context.ts'

const TYPE = 'classic'

export const answerListGroups: Handler<typeof listGroups> = (level, { body }) => {
  // Names compare without regard to case, as Kafka's do.
  const admits = (filter: readonly string[], value: string): boolean =>
    filter.length === 0 || filter.some(one => one.toLowerCase() === value.toLowerCase())
  const groups = [...level.groups.all()]
    .filter(({ group }) => group.state !== 'Dead')
    .filter(({ group }) => admits(body.statesFilter, group.state) && admits(body.typesFilter, TYPE))
    .map(({ group }) => ({
      groupId: group.id,
      protocolType: group.protocolType ?? '',
      groupState: group.state,
      groupType: TYPE
    }))
  return { throttleTimeMs: 0, errorCode: 0, groups }
}
