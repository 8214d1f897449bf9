/** What every handler is given: the parts of the engine, and the request with its session. */
import type { Log } from '@assay/log'
import type { AnyApi, ResponseOf } from '@assay/protocol'
import type { Clock, Logger } from '@assay/std'
import type { Request, Session } from '../engine.ts'
import type { BrokerDefaults } from './broker-defaults.ts'
import type { FetchBudget } from './fetch-budget.ts'
import type { Coordinator } from './groups/coordinator.ts'
import type { LevelOptions } from './options.ts'
import type { ProducerIds } from './producer-ids.ts'
import type { Topics } from './topics.ts'

export interface Level {
  readonly options: LevelOptions
  readonly clock: Clock
  readonly logger: Logger
  readonly nodeId: number
  readonly clusterId: string
  /** Where clients are told to connect to. */
  readonly advertised: () => { readonly host: string; readonly port: number }
  readonly log: Log
  readonly topics: Topics
  readonly defaults: BrokerDefaults
  readonly groups: Coordinator
  readonly producerIds: ProducerIds
  readonly fetchBudget: FetchBudget
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
