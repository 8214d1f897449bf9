export {
  type GeneratedFile,
  type GenerateOptions,
  generateTypeScript,
  isGenerated,
  type SchemaInput,
  type Staleness,
  staleFiles
} from './generate.ts'
export type { FileOptions } from './module-file.ts'
export { type TopicPart, topicPartOf } from './subject-path.ts'
export type { TypeOptions } from './type-text.ts'
