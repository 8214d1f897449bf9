/** Subjects by convention: the folder that holds a schema file is the topic, the file's name is the part. */

export interface TopicPart {
  readonly topic: string
  readonly part: 'key' | 'value'
  /** Under TopicNameStrategy. */
  readonly subject: string
}

/** `schemas/orders/value.avsc` -> topic `orders`, subject `orders-value`; undefined for a path that does not follow the convention. */
export function topicPartOf(path: string): TopicPart | undefined {
  const match = /(?:^|[\\/])([A-Za-z0-9._-]{1,249})[\\/](key|value)\.avsc$/.exec(path)
  if (!match) return undefined
  const [, topic, part] = match as unknown as [string, string, 'key' | 'value']
  return topic === '.' || topic === '..' ? undefined : { topic, part, subject: `${topic}-${part}` }
}
