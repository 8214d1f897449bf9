/** Events as one caller sees them: schemas that he names besides those of the topic must be ones that he may read. */
import { isAssayError } from '@assay/errors'
import type { Events, SchemaChoice } from '@assay/gate'
import { normalizedName, type Registry } from '@assay/registry'
import { superRights } from '@assay/security'
import { type Caller, mayReadSubject } from './caller.ts'
import { deniedSchema, deniedTo } from './denial.ts'

/** For `bind`, in the place of the events themselves. */
export function eventViews(events: Events, registry: Registry): (caller: Caller) => Events {
  return caller => (caller.rights === superRights ? events : viewFor(caller, events, registry))
}

function viewFor(caller: Caller, events: Events, registry: Registry): Events {
  /** The subjects of the topic itself go with the right to the topic. */
  const isVisible = (subject: string, topic: string): boolean =>
    subject === `${topic}-value` || subject === `${topic}-key` || mayReadSubject(caller, subject)

  async function check(topic: string, choice: SchemaChoice | undefined): Promise<void> {
    if (choice === undefined) return
    if ('schemaId' in choice) {
      for (const { subject } of await versionsOf(choice.schemaId)) if (isVisible(subject, topic)) return
      throw deniedSchema(caller.principal, 'read', `schema ID ${choice.schemaId}`)
    }
    const name = normalizedName(choice.subject)
    if (!isVisible(name, topic)) throw deniedTo(caller.principal, 'read', { type: 'subject', name }, caller.rights)
  }

  /** An ID that is not known may have been given a moment ago by another registry on the same log. */
  async function versionsOf(schemaId: number): Promise<Iterable<{ readonly subject: string }>> {
    try {
      return registry.schemaById(schemaId).schema.versions
    } catch (error) {
      if (!isAssayError(error, 'SCHEMA_NOT_FOUND')) throw error
      await registry.catchUp()
      return registry.schemaById(schemaId).schema.versions
    }
  }

  return {
    async produce(topic, given) {
      await check(topic, given.valueSchema)
      await check(topic, given.keySchema)
      return events.produce(topic, given)
    },
    async read(topic, options) {
      await check(topic, options.readerSchema)
      return events.read(topic, options)
    },
    async *follow(topic, options, signal) {
      await check(topic, options.readerSchema)
      yield* events.follow(topic, options, signal)
    }
  }
}
