/** What a step of the group state machine asks of the world: answers to give and state to store. */
import type { GroupError, RequestId } from './group.ts'

export interface JoinedMember {
  readonly memberId: string
  readonly instanceId: string | null
  readonly metadata: Buffer
}

export interface JoinAnswer {
  readonly error: GroupError
  readonly memberId: string
  readonly generation: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly leaderId: string
  /** The leader must not compute an assignment: the group keeps the one it has (KIP-814). */
  readonly skipAssignment: boolean
  /** For the leader only. */
  readonly members: readonly JoinedMember[]
}

export interface SyncAnswer {
  readonly error: GroupError
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignment: Buffer
}

export interface LeaveAnswer {
  readonly memberId: string
  readonly instanceId: string | null
  readonly error: GroupError
}

export type Answer =
  | { readonly type: 'join'; readonly request: RequestId; readonly answer: JoinAnswer }
  | { readonly type: 'sync'; readonly request: RequestId; readonly answer: SyncAnswer }
  | { readonly type: 'heartbeat'; readonly request: RequestId; readonly error: GroupError }
  | { readonly type: 'leave'; readonly request: RequestId; readonly answers: readonly LeaveAnswer[] }

/** Store the group as it is at this moment; once it is durable, give `answers` and feed `stored` with this generation back. */
export interface Store {
  readonly type: 'store'
  readonly generation: number
  readonly answers: readonly Answer[]
}

export type Effect = Answer | Store

export const failedJoin = (request: RequestId, error: GroupError, memberId: string): Answer => ({
  type: 'join',
  request,
  answer: {
    error,
    memberId,
    generation: -1,
    protocolType: null,
    protocolName: null,
    leaderId: '',
    skipAssignment: false,
    members: []
  }
})

export const failedSync = (request: RequestId, error: GroupError): Answer => ({
  type: 'sync',
  request,
  answer: { error, protocolType: null, protocolName: null, assignment: Buffer.alloc(0) }
})

/** The same answer turned into a refusal: what its receiver gets when storing failed. */
export function failed(answer: Answer, error: GroupError): Answer {
  switch (answer.type) {
    case 'join':
      return failedJoin(answer.request, error, answer.answer.memberId)
    case 'sync':
      return failedSync(answer.request, error)
    case 'heartbeat':
      return { ...answer, error }
    case 'leave':
      return { ...answer, answers: answer.answers.map(one => ({ ...one, error })) }
  }
}
