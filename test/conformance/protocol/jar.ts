/** Reads files out of a jar (a zip archive): the central directory, stored and deflated entries; no more is needed here. */
import { readFileSync } from 'node:fs'
import { inflateRawSync } from 'node:zlib'

const END_SIGNATURE = 0x06054b50
const DEFLATED = 8

/** The content of every entry whose name passes. */
export function readJar(path: string, wants: (name: string) => boolean): Map<string, Buffer> {
  const jar = readFileSync(path)
  let end = jar.length - 22
  while (end >= 0 && jar.readUInt32LE(end) !== END_SIGNATURE) end--
  if (end < 0) throw new Error(`${path} is no zip archive`)
  const files = new Map<string, Buffer>()
  let at = jar.readUInt32LE(end + 16)
  for (let left = jar.readUInt16LE(end + 10); left > 0; left--) {
    const method = jar.readUInt16LE(at + 10)
    const size = jar.readUInt32LE(at + 20)
    const [nameSize, extraSize, commentSize] = [28, 30, 32].map(offset => jar.readUInt16LE(at + offset)) as [
      number,
      number,
      number
    ]
    const local = jar.readUInt32LE(at + 42)
    const name = jar.toString('utf8', at + 46, at + 46 + nameSize)
    at += 46 + nameSize + extraSize + commentSize
    if (!wants(name)) continue
    const start = local + 30 + jar.readUInt16LE(local + 26) + jar.readUInt16LE(local + 28)
    const content = jar.subarray(start, start + size)
    files.set(name, method === DEFLATED ? inflateRawSync(content) : content)
  }
  return files
}
