export { canonicalText, fragmentText, parsingCanonicalForm } from './canonical.ts'
export type { Steps } from './comparison.ts'
export { type CompatibilityOptions, canRead, compatibility, type Incompatibility, incompatibilitiesMax } from './compatibility.ts'
export { type ChangingSide, type CompatibilityRule, compatibilityRules, type IncompatibilityType } from './compatibility-rules.ts'
export { compatibilityWarnings } from './compatibility-warnings.ts'
export { type ConfluentContext, confluentMessages } from './confluent-messages.ts'
export { BinaryReader, BinaryWriter } from './data/binary.ts'
export { Decimal } from './data/decimal.ts'
export type { Duration } from './data/duration.ts'
export type { Fault } from './data/explain.ts'
export { DecodeFault, EncodeFault } from './data/faults.ts'
export { frame, framedId, WIRE_FORMAT_BYTES, WIRE_FORMAT_MAGIC } from './data/framing.ts'
export { decodeJson, encodeJson } from './data/json-encoding.ts'
export { type Codec, compileCodec } from './data/typed.ts'
export type { CodecOptions } from './data/typed-form.ts'
export { type UnionShape, unionShape } from './data/union-shape.ts'
export { compileValidator, type Validator, validatorFor } from './data/validate.ts'
export { finishedTypes, type Misfit, misfitOf } from './defaults.ts'
export { fingerprint64, rabin } from './fingerprint.ts'
export { JsonError, type JsonLimits, type JsonPath, jsonLimits, locate, type Position, parseJson, printPath } from './json.ts'
export { isIntegerText, isJsonArray, isJsonNumber, isJsonObject, printJson } from './json-text.ts'
export {
  type CompatibilityLevel,
  checkLevel,
  compatibilityLevels,
  type EarlierVersion,
  type Finding,
  type FindingWarning,
  findingsMax,
  keepsLevel,
  type LevelOptions,
  levelWarnings,
  parseLevel,
  printFindings
} from './levels.ts'
export type { Rewrite } from './mends.ts'
export { fullNameOf, nameFault } from './names.ts'
export { normalizedText } from './normalize.ts'
export { type ParseSchemaOptions, parseSchema, type SchemaLimits, schemaLimits } from './parse.ts'
export { resolvedText } from './resolved.ts'
export type * from './schema.ts'
export { branchName, namespaceOf, shortName } from './schema.ts'
export { schemaWarnings, type Warning, warningsMax } from './schema-warnings.ts'
export { type SchemaEntity, type SchemaTags, tagsOf, withTags } from './tags.ts'
export { unorderedText } from './unordered.ts'
export { type WarningRule, type WarningType, warningRules } from './warning-rules.ts'
