/**
 * Cuts the power of a real file system: ext4 on a loop device is shut down at once, without flushing its journal, unmounted and mounted
 * again. The process is killed first, so that everything it told was told after its sync had ended: the kernel may let the one sync that
 * is under way at the shutdown return as if it had been done.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomOf } from '../suites/random.ts'
import { readTale, type Told, unanswered } from './log-tale.ts'
import { type WorkloadOptions, workloadArguments } from './log-workload.ts'
import { anomaliesAfterCrash } from './power-cuts.ts'

export interface LoopDisk {
  readonly path: string
  /** The file system takes nothing more, is unmounted, and mounted as it is then. */
  cut(): void
  remove(): void
}

/** Above the floor of free space below which a log takes nothing; only what is written is there. */
const DISK_BYTES = 1 << 30

/** Or why it cannot be had. */
export function loopDisk(godown: string): LoopDisk | { readonly reason: string } {
  const root = mkdtempSync(join(tmpdir(), 'assay-loop-'))
  const [image, path] = [join(root, 'image'), join(root, 'disk')]
  const run = (command: string, ...args: string[]): void =>
    void execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' })
  const mount = (): void => run('mount', '-o', 'loop', image, path)
  try {
    mkdirSync(path)
    writeFileSync(image, '')
    truncateSync(image, DISK_BYTES)
    run('mkfs.ext4', '-q', '-F', image)
    mount()
  } catch (error) {
    rmSync(root, { recursive: true, force: true })
    return { reason: `ext4 cannot be mounted on a loop device here: ${(error as Error).message.trim()}` }
  }
  return {
    path,
    cut() {
      run(godown, path)
      run('umount', path)
      mount()
    },
    remove() {
      run('umount', path)
      rmSync(root, { recursive: true, force: true })
    }
  }
}

export interface RealCutReport {
  readonly acknowledged: number
  readonly anomalies: readonly string[]
}

const LIVES_MAX = 10

export async function realCuts(
  disk: LoopDisk,
  { cuts, seed }: { readonly cuts: number; readonly seed: number }
): Promise<RealCutReport> {
  const random = randomOf(seed)
  const outside = mkdtempSync(join(tmpdir(), 'assay-tale-'))
  const anomalies: string[] = []
  let acknowledged = 0
  for (let cut = 0; cut < cuts && anomalies.length === 0; cut++) {
    const [number, life] = [Math.floor(cut / LIVES_MAX), cut % LIVES_MAX]
    const [directory, tale] = [join(disk.path, String(number)), join(outside, String(number))]
    if (life === 0) rmSync(join(disk.path, String(number - 1)), { recursive: true, force: true })
    const workload: WorkloadOptions = {
      ...{ directory, tale, life, seed: seed + cut, steps: 1_000_000, isKilled: false },
      again: unanswered(taleIn(tale))
    }
    await killedAfter(workload, random(1500))
    disk.cut()
    const told = taleIn(tale)
    acknowledged += [...told.units.values()].filter(({ isStored }) => isStored).length
    // What is looked at is looked at on a copy of the disk's state: the next life goes on from what the cut left.
    const copy = join(outside, 'copy')
    if (existsSync(directory)) execFileSync('cp', ['-r', directory, copy])
    for (const anomaly of await anomaliesAfterCrash(copy, told, { isRebuilt: random(2) === 0, isOpenedAgain: true }))
      anomalies.push(`cut ${cut}: ${anomaly}`)
    rmSync(copy, { recursive: true, force: true })
  }
  rmSync(outside, { recursive: true, force: true })
  return { acknowledged, anomalies }
}

/** Counted from when it tells something for the first time. */
async function killedAfter(workload: WorkloadOptions, ms: number): Promise<void> {
  const before = sizeOf(workload.tale)
  const child = spawn(process.execPath, ['--conditions=source', ...workloadArguments(workload)], {
    stdio: ['ignore', 'inherit', 'inherit']
  })
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>
  while (child.exitCode === null && sizeOf(workload.tale) === before) await new Promise(resolve => setTimeout(resolve, 10))
  await new Promise(resolve => setTimeout(resolve, ms))
  child.kill('SIGKILL')
  const [code] = await ended
  if (code !== null) throw new Error(`the workload ended with ${code} before it was killed`)
}

const sizeOf = (path: string): number => (existsSync(path) ? readFileSync(path).length : 0)

const taleIn = (path: string) =>
  readTale(
    (existsSync(path) ? readFileSync(path, 'utf8') : '')
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line) as Told)
  )
