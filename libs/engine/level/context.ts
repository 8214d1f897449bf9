/** What every handler is given: the parts of the engine, and the request with its session. */
import type { Log } from '@assay/log'
import type { AnyApi, ResponseOf } from '@assay/protocol'
import type { Clock, LentMemory, Logger } from '@assay/std'
import type { Request, Session } from '../engine.ts'
import type { Feature } from '../features.ts'
import type { BrokerDefaults } from './broker-defaults.ts'
import type { ClientQuotas } from './client-quotas.ts'
import type { FetchBudget } from './fetch-budget.ts'
import type { FetchSessions } from './fetch-sessions.ts'
import type { GroupConfigs } from './group-configs.ts'
import type { Coordinator } from './groups/coordinator.ts'
import type { MutationQuotas } from './mutation-quotas.ts'
import type { LevelOptions } from './options.ts'
import type { ProducerIds } from './producer-ids.ts'
import type { Topics } from './topics.ts'
import type { Transactions } from './transactions/coordinator.ts'

/** Where the log keeps its records, and how much room there is. */
export interface LogDirectory {
  readonly path: string
  /** Of the volume it is on; -1 where it is not known. */
  volume(): Promise<{ readonly totalBytes: number; readonly usableBytes: number }>
}

export interface Level {
  readonly options: LevelOptions
  readonly clock: Clock
  readonly logger: Logger
  readonly nodeId: number
  readonly clusterId: string
  /** Where clients are told to connect to. */
  readonly advertised: () => { readonly host: string; readonly port: number }
  readonly log: Log
  readonly logDirectory: LogDirectory
  readonly features: readonly Feature[]
  readonly topics: Topics
  readonly defaults: BrokerDefaults
  readonly quotas: ClientQuotas
  readonly mutations: MutationQuotas
  readonly groups: Coordinator
  readonly transactions: Transactions
  readonly groupConfigs: GroupConfigs
  readonly producerIds: ProducerIds
  readonly fetchBudget: FetchBudget
  /** Where the records of Fetch answers lie until they are written. */
  readonly fetchMemory: LentMemory
  readonly fetchSessions: FetchSessions
  /** 16 random bytes. */
  readonly randomId: () => Buffer
  /** Aborted when the engine closes: whoever waits answers with what there is. */
  readonly closing: AbortSignal
}

export type Handler<A extends AnyApi> = (
  level: Level,
  request: Request<A>,
  session: Session
) => ResponseOf<A> | Promise<ResponseOf<A> | null>

/** The topic ID that stands for none. */
export const NO_TOPIC_ID = '0'.repeat(32)

/** What a client gets for a mask of permitted operations when it did not ask, or nobody is checked. */
export const OPERATIONS_NOT_TOLD = -2_147_483_648
