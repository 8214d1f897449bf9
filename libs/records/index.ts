export {
  ATTRIBUTE,
  type BatchHeader,
  CRC_START,
  codecOf,
  FIELD_AT,
  HEADER_BYTES,
  hasLogAppendTime,
  hasRightCrc,
  isControl,
  isTransactional,
  LOG_OVERHEAD,
  MAGIC,
  NO_PRODUCER_ID,
  NONE,
  readHeader,
  setLogAppendTime,
  signBatch,
  stampBatch
} from './batch.ts'
export { type CheckOptions, checkBatch, type SplitOptions, splitBatches } from './check.ts'
export { compress, decompress } from './codec.ts'
export { CODEC, type Codec, type CodecName, isCodec } from './codec-name.ts'
export { crc32c } from './crc.ts'
export { type CursorOptions, RECORD_BYTES_MIN, RecordCursor, type RecordHeader } from './cursor.ts'
export { type Recompression, recompressBatch } from './recompress.ts'
export { decodeBatch, encodeBatch, type NewBatch, type NewRecord, type RecordEntry } from './records.ts'
export { Scratch } from './scratch.ts'
