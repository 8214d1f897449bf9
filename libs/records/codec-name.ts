/** The codecs of a record batch by name, and the code of each in the lowest three bits of the batch's attributes. */
export const CODEC = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const

export type CodecName = keyof typeof CODEC
export type Codec = (typeof CODEC)[CodecName]

export const isCodec = (code: number): code is Codec => code >= CODEC.none && code <= CODEC.zstd
