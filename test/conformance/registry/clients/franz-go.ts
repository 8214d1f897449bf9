/** Go franz-go's sr, built where Go is installed; its modules lie in the project's cache. */
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from './scenario.ts'

const folder = join(import.meta.dirname, 'franz-go')
const cache = join(import.meta.dirname, '../../../../.cache/registry-clients/franz-go')
const GO_TIMEOUT_MS = 180_000

export const franzGo: Client = {
  name: 'Go franz-go sr',
  lacks: {},
  async prepare() {
    const program = join(cache, 'script')
    mkdirSync(cache, { recursive: true })
    const version = go('version')
    if (version) return { missing: `Go is not installed (${version})` }
    const downloaded = go('mod', 'download')
    if (downloaded) return { missing: `go mod download: ${downloaded}` }
    const built = go('build', '-o', program, '.')
    // With the modules at hand, what does not compile is this program's fault.
    if (built) throw new Error(`go build: ${built}`)
    return { file: program, args: [] }
  }
}

/** Why a go command failed, its first line; nothing when it did not. Only the installed toolchain is used. */
function go(...args: string[]): string | undefined {
  const env = { ...process.env, GOTOOLCHAIN: 'local', GOMODCACHE: join(cache, 'mod'), GOFLAGS: '-modcacherw -buildvcs=false' }
  const { status, error, stderr } = spawnSync('go', args, { cwd: folder, env, encoding: 'utf8', timeout: GO_TIMEOUT_MS })
  if (status === 0) return undefined
  return error?.message ?? stderr.trim().split('\n')[0] ?? `ended with ${status}`
}
