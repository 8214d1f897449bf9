/** ListGroups: every group this node knows, those that only keep offsets included. */
import type { listGroups } from '@assay/protocol'
import { CONSUMER } from './consumer-groups/classic-step.ts'
import { stateOf } from './consumer-groups/group.ts'
import type { Handler } from './context.ts'
import type { GroupView } from './groups/coordinator.ts'

export const answerListGroups: Handler<typeof listGroups> = (level, { body }) => {
  // Names compare without regard to case, as Kafka's do.
  const admits = (filter: readonly string[], value: string): boolean =>
    filter.length === 0 || filter.some(one => one.toLowerCase() === value.toLowerCase())
  const groups = [...level.groups.all()]
    .filter(({ group }) => group.state !== 'Dead')
    .map(told)
    .filter(({ groupState, groupType }) => admits(body.statesFilter, groupState) && admits(body.typesFilter, groupType))
  return { throttleTimeMs: 0, errorCode: 0, groups }
}

const told = ({ group, consumer }: GroupView) =>
  consumer === undefined
    ? { groupId: group.id, protocolType: group.protocolType ?? '', groupState: group.state, groupType: 'classic' }
    : { groupId: consumer.group.id, protocolType: CONSUMER, groupState: stateOf(consumer.group), groupType: 'consumer' }
