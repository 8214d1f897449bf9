export { ask, type Engine, type Request, type ServedApi, type Session, type Topic } from './engine.ts'
export { type LevelEngine, type LevelParts, levelEngine } from './level/level-engine.ts'
export { type LevelOptions, levelDefaults } from './level/options.ts'
export { OFFSETS_TOPIC, SCHEMAS_TOPIC } from './level/topic-name.ts'
