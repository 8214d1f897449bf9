/** How a row of the authorization table is written: what it is given, and the shapes that most of the protocol's requests have. */
import { type AnyApi, errorCode, Field, type Fields, type KafkaError } from '@assay/protocol'
import { CLUSTER, type Operation, type ResourceType } from '@assay/security'

/** A request that is about to be answered, and who asks. */
export interface Asked<Q, R> {
  readonly api: AnyApi
  readonly version: number
  readonly body: Q
  /** Whether he may; a refusal is written down. */
  may(operation: Operation, type: ResourceType, name: string): boolean
  /** The same for what is left out of a list, which nobody asked for by name: nothing is written down. */
  sees(operation: Operation, type: ResourceType, name: string): boolean
  mayAny(operation: Operation, type: ResourceType): boolean
  /** The name of a topic by its ID; undefined when there is none, and then it is for the engine to say so. */
  topicName(id: string): Promise<string | undefined>
  /** Whether there is a topic of this name. */
  hasTopic(name: string): Promise<boolean>
  /** Lets the engine answer, another body where one is given. */
  pass(body?: Q): Promise<R>
  /** The response with every field at its default, but for those given. */
  blank(given?: Partial<R>): R
}

export interface Row {
  readonly key: number
  /** Kafka's name of the API. */
  readonly name: string
  /** False where who may do everything need not be looked at: the answer has nothing in it about what he may. */
  readonly always: boolean
  readonly answer: (asked: Asked<object, object>) => Promise<object | null>
}

type Answer<Q, R> = (asked: Asked<Q, R>) => Promise<R | null>

export const row = <Q extends object, R extends object>(key: number, name: string, answer: Answer<Q, R>): Row => ({
  key,
  name,
  always: false,
  answer: answer as unknown as Row['answer']
})

/** A row whose answer says what the caller may do. */
export const tellingRow = <Q extends object, R extends object>(key: number, name: string, answer: Answer<Q, R>): Row => ({
  ...row(key, name, answer),
  always: true
})

export const TOPIC_REFUSED = errorCode('TOPIC_AUTHORIZATION_FAILED')
export const GROUP_REFUSED = errorCode('GROUP_AUTHORIZATION_FAILED')
export const CLUSTER_REFUSED = errorCode('CLUSTER_AUTHORIZATION_FAILED')
export const TRANSACTION_REFUSED = errorCode('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')

/** Everybody who is known may ask. */
export const openRow = (key: number, name: string): Row => row(key, name, asked => asked.pass())

interface WithCode {
  readonly errorCode: number
}

/** A request about one thing; who may not gets one code and nothing else. */
export const wholeRow = <Q extends object, R extends WithCode>(
  key: number,
  name: string,
  operation: Operation,
  type: ResourceType,
  nameOf: (body: Q) => string
): Row =>
  row<Q, R>(key, name, async asked => {
    if (asked.may(operation, type, nameOf(asked.body))) return asked.pass()
    return asked.blank({ errorCode: codeOf(type) } as Partial<R>)
  })

/** A request about the cluster. `refused` says it in the response's own way where there is no code for the whole of it. */
export const clusterRow = <Q extends object, R extends object>(
  key: number,
  name: string,
  operation: Operation,
  refused: (asked: Asked<Q, R>) => R = asked => asked.blank({ errorCode: CLUSTER_REFUSED } as unknown as Partial<R>)
): Row => row<Q, R>(key, name, async asked => (asked.may(operation, CLUSTER.type, CLUSTER.name) ? asked.pass() : refused(asked)))

const codeNames: Partial<Record<ResourceType, KafkaError>> = {
  topic: 'TOPIC_AUTHORIZATION_FAILED',
  group: 'GROUP_AUTHORIZATION_FAILED',
  'transactional-id': 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED'
}
export const codeOf = (type: ResourceType): number => errorCode(codeNames[type] ?? 'CLUSTER_AUTHORIZATION_FAILED')

/** Elements of a request, and what is answered for those that he may not touch; the rest is the engine's, with its answers in its order. */
export interface Split<E, A> {
  readonly allowed: E[]
  readonly refused: A[]
  /** For each element of the request, in order: the answer of a refusal, or undefined. */
  readonly places: readonly (A | undefined)[]
}

export async function split<E, A>(
  elements: readonly E[],
  judge: (element: E) => A | undefined | Promise<A | undefined>
): Promise<Split<E, A>> {
  const places: (A | undefined)[] = []
  for (const element of elements) {
    const judged = judge(element)
    places.push(judged instanceof Promise ? await judged : judged)
  }
  return {
    places,
    allowed: elements.filter((_, at) => places[at] === undefined),
    refused: places.filter(answer => answer !== undefined)
  }
}

/** The answers in the order of the request where the engine has kept it, else the refusals behind them. */
export function joined<E, A>({ allowed, refused, places }: Split<E, A>, answers: readonly A[]): A[] {
  if (refused.length === 0) return [...answers]
  if (answers.length !== allowed.length) return [...answers, ...refused]
  let next = 0
  return places.map(refusal => refusal ?? answers[next++]!)
}

/** A struct of the response with every field at its default: `blankAt(api, ['topics', 'partitions'], { errorCode: 29 })`. */
export function blankAt<T>(api: AnyApi, path: readonly string[], given: Partial<T>): T {
  let fields = api.response as Fields
  for (const name of path) {
    const { of } = fields[name]!.shape
    fields = of instanceof Field ? {} : (of as Fields)
  }
  const blank = Object.entries(fields).map(([name, { shape }]) => [name, shape.nullableSince === 0 ? null : shape.fallback])
  return { ...Object.fromEntries(blank), ...given } as T
}
