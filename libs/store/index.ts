export { type LevelOptions, openLevel } from './level.ts'
export { memoryStore } from './memory.ts'
export type { Entry, Range, Store, StoreOp } from './store.ts'
