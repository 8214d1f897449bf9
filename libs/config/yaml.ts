/** The YAML library, loaded when a file is first read or written: most servers have none, and it is 70 modules. */
import { createRequire } from 'node:module'

const load = createRequire(import.meta.url)
let library: typeof import('yaml') | undefined

export function yaml(): typeof import('yaml') {
  library ??= load('yaml') as typeof import('yaml')
  return library
}
