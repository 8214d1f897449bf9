export { assert } from './assert.ts'
export { type Clock, systemClock, type Timer } from './clock.ts'
export { type Facts, type Logger, silentLogger } from './logger.ts'
export { nearestName } from './nearest-name.ts'
