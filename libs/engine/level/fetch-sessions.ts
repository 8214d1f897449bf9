/**
 * The fetch sessions of all readers (KIP-227), bounded in number and in partitions. There is no need for a session: whoever gets none, or
 * loses his, names all his partitions in each request. As in Kafka a session outlives its connection.
 */
import type { fetch, RequestOf } from '@assay/protocol'
import { errorCode, type KafkaError } from '@assay/protocol'
import {
  epochAfter,
  type FetchPartition,
  type FetchSession,
  isNews,
  sizeWith,
  takeIn,
  type Wanted,
  wantedIn,
  wantedOf
} from './fetch-session.ts'

export interface FetchSessionsParts {
  readonly nowMs: () => number
  /** Random bytes, at least four. */
  readonly randomId: () => Buffer
  readonly sessionsMax: number
  /** In all sessions together. */
  readonly partitionsMax: number
}

export interface AskedFetch {
  readonly version: number
  readonly body: RequestOf<typeof fetch>
  readonly principal: string
}

/** One request as it is to be answered, by itself or as the next of its session. */
export interface FetchTurn {
  readonly wanted: readonly Wanted[]
  /** Takes the answer to each of `wanted`, in their order, and says what the reader is sent: under which session, and which of them. */
  finish(answers: readonly FetchPartition[]): Told
}

export interface Told {
  readonly errorCode: number
  /** 0 for none. */
  readonly sessionId: number
  readonly isTold: readonly boolean[]
}

export interface FetchSessions {
  /** Fails by an error code, never by throwing. */
  begin(asked: AskedFetch): FetchTurn | { readonly refused: number }
  readonly sessionCount: number
  readonly partitionCount: number
}

const NO_SESSION = 0
const FINAL_EPOCH = -1
const FIRST_EPOCH = 0
const IDS_SINCE = 13
/** How long a session is safe from those that come later; Kafka's own figure. */
const SAFE_MS = 120_000

export function fetchSessions({ nowMs, randomId, sessionsMax, partitionsMax }: FetchSessionsParts): FetchSessions {
  /** By ID, the one that was used least lately first. */
  const sessions = new Map<number, FetchSession>()
  let partitionCount = 0

  function close(session: FetchSession): void {
    if (sessions.delete(session.id)) partitionCount -= session.partitions.size
  }

  /** Gives room to one more, at the cost of one that nobody uses any more, or that has had its time and serves for less. */
  function makeRoom(partitions: number): boolean {
    const now = nowMs()
    for (;;) {
      if (sessions.size < sessionsMax && partitionCount + partitions <= partitionsMax) return true
      const [oldest] = sessions.values()
      if (oldest === undefined || partitions > partitionsMax) return false
      if (now - oldest.usedMs > SAFE_MS) {
        close(oldest)
        continue
      }
      let smallest: FetchSession | undefined
      for (const session of sessions.values()) {
        if (now - session.createdMs <= SAFE_MS || session.partitions.size >= partitions) continue
        if (smallest === undefined || session.partitions.size < smallest.partitions.size) smallest = session
      }
      if (smallest === undefined) return false
      close(smallest)
    }
  }

  function newId(): number {
    for (;;) {
      const id = randomId().readUInt32BE(0) & 0x7f_ff_ff_ff
      if (id !== NO_SESSION && !sessions.has(id)) return id
    }
  }

  function open({ version, body, principal }: AskedFetch): FetchSession | undefined {
    const session: FetchSession = {
      id: newId(),
      principal,
      byId: version >= IDS_SINCE,
      createdMs: nowMs(),
      usedMs: nowMs(),
      epoch: epochAfter(FIRST_EPOCH),
      partitions: new Map()
    }
    takeIn(session, body)
    // Nobody comes back for a session without partitions.
    if (session.partitions.size === 0 || !makeRoom(session.partitions.size)) return undefined
    sessions.set(session.id, session)
    partitionCount += session.partitions.size
    return session
  }

  /** Every partition that is asked for is told. With `opens` the reader is given a session if there is room when the answer is ready. */
  function full(asked: AskedFetch, opens: boolean): FetchTurn {
    const wanted = wantedOf(asked.body.topics)
    return {
      wanted,
      finish(answers) {
        const session = opens ? open(asked) : undefined
        if (session !== undefined) for (const [at, answer] of answers.entries()) isNews(session, wanted[at]!, answer)
        return { errorCode: 0, sessionId: session?.id ?? NO_SESSION, isTold: answers.map(() => true) }
      }
    }
  }

  function incremental(asked: AskedFetch): FetchTurn | { readonly refused: number } {
    const { body, version, principal } = asked
    const session = sessions.get(body.sessionId)
    if (session === undefined || session.principal !== principal) return refused('FETCH_SESSION_ID_NOT_FOUND')
    if (session.epoch !== body.sessionEpoch) return refused('INVALID_FETCH_SESSION_EPOCH')
    if (session.byId !== version >= IDS_SINCE) return refused('FETCH_SESSION_TOPIC_ID_ERROR')
    const before = session.partitions.size
    if (partitionCount + sizeWith(session, body.topics) - before > partitionsMax) {
      // It may ask for all of them, without a session.
      close(session)
      return refused('FETCH_SESSION_ID_NOT_FOUND')
    }
    takeIn(session, body)
    partitionCount += session.partitions.size - before
    if (session.partitions.size === 0) {
      close(session)
      return full(asked, false)
    }
    session.usedMs = nowMs()
    sessions.delete(session.id)
    sessions.set(session.id, session)
    const epoch = epochAfter(session.epoch)
    session.epoch = epoch
    const wanted = wantedIn(session)
    return {
      wanted,
      finish(answers) {
        // Two requests of one session under way: the reader has given up this one.
        if (session.epoch !== epoch) {
          const { refused: code } = refused('INVALID_FETCH_SESSION_EPOCH')
          return { errorCode: code, sessionId: NO_SESSION, isTold: answers.map(() => false) }
        }
        const isTold = answers.map((answer, at) => isNews(session, wanted[at]!, answer))
        return { errorCode: 0, sessionId: session.id, isTold }
      }
    }
  }

  return {
    begin(asked) {
      const { sessionId, sessionEpoch } = asked.body
      if (sessionEpoch !== FINAL_EPOCH && sessionEpoch !== FIRST_EPOCH) return incremental(asked)
      // A full request that names a session closes it.
      const named = sessions.get(sessionId)
      if (named !== undefined && named.principal === asked.principal) close(named)
      return full(asked, sessionEpoch === FIRST_EPOCH)
    },
    get sessionCount() {
      return sessions.size
    },
    get partitionCount() {
      return partitionCount
    }
  }
}

const refused = (error: KafkaError): { readonly refused: number } => ({ refused: errorCode(error) })
