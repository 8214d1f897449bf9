/** ListConfigResources: what DescribeConfigs can be asked about. Groups are those that somebody has set something for; loggers and client metrics have no settings here. */
import { errorCode, type listConfigResources } from '@assay/protocol'
import type { Handler, Level } from './context.ts'

const [TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP] = [2, 4, 8, 16, 32] as const
const ALL: readonly number[] = [TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP]

export const answerListConfigResources: Handler<typeof listConfigResources> = (level, { version, body }) => {
  const asked = version === 0 ? [CLIENT_METRICS] : body.resourceTypes.length === 0 ? ALL : [...new Set(body.resourceTypes)]
  const isKnown = asked.every(type => ALL.includes(type))
  return {
    throttleTimeMs: 0,
    errorCode: isKnown ? 0 : errorCode('UNSUPPORTED_VERSION'),
    configResources: isKnown
      ? asked.flatMap(resourceType => namesOf(level, resourceType).map(resourceName => ({ resourceName, resourceType })))
      : []
  }
}

function namesOf(level: Level, type: number): string[] {
  if (type === TOPIC) return level.topics.all().map(({ name }) => name)
  if (type === GROUP) return [...level.groupConfigs.groups()]
  return type === BROKER ? [String(level.nodeId)] : []
}
