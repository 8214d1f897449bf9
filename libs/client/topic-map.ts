/** The map from topics to codecs, as `topics.ts` of the generated code holds it, and the types that follow from it. */
import type { AvroType } from './avro-type.ts'

/** A null key codec: keys are plain text. */
export interface TopicCodecs {
  readonly key: AvroType<unknown, never> | null
  readonly value: AvroType<unknown, never>
}

export type TopicName<M> = keyof M & string

type Read<C> = C extends AvroType<infer T, never> ? T : C extends null ? string : never
type Init<C> = C extends { create(init: infer I): unknown } ? I : C extends null ? string : never

export type KeyOf<C extends TopicCodecs> = Read<C['key']>
export type ValueOf<C extends TopicCodecs> = Read<C['value']>
export type KeyInitOf<C extends TopicCodecs> = Init<C['key']>
export type ValueInitOf<C extends TopicCodecs> = Init<C['value']>

/** Every topic of a map with its codecs; `topics` as generated. */
export type TopicMap<M> = { readonly [T in keyof M]: TopicCodecs }
