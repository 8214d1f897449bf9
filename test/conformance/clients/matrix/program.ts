/** What the programs of Node's clients share: steps taken one after the other, each with its outcome on a line of stdout. */
import type { Step } from './steps.ts'

const STEP_MS_MAX = 40_000
const UNTIL_MS_MAX = 30_000

/** Takes the steps that were asked for, of those that the client can take. */
export async function run(takes: Partial<Record<Step, () => Promise<void>>>): Promise<void> {
  const asked = process.argv[4]!.split(',') as Step[]
  for (const step of asked) {
    const take = takes[step]
    if (take === undefined) continue
    console.log(JSON.stringify({ step, outcome: await outcomeOf(take) }))
  }
}

async function outcomeOf(take: () => Promise<void>): Promise<string> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${STEP_MS_MAX} ms`)), STEP_MS_MAX)
  })
  try {
    await Promise.race([take(), late])
    return 'ok'
  } catch (error) {
    return String(error).slice(0, 300)
  } finally {
    clearTimeout(timer)
  }
}

export function check(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(`not so: ${what}`)
}

export function exactly(got: readonly unknown[], wanted: readonly unknown[]): void {
  if (JSON.stringify(got) !== JSON.stringify(wanted)) {
    throw new Error(`${JSON.stringify(got).slice(0, 120)} and not ${JSON.stringify(wanted).slice(0, 120)}`)
  }
}

export const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at)

/** Those of each key rise, each is there once, and a key keeps its partition. */
export function inOrder(
  got: readonly { readonly key: string; readonly value: string; readonly partition: number }[],
  count: number
): void {
  const last = new Map<string, number>()
  const partitions = new Map<string, number>()
  for (const { key, value, partition } of got) {
    check(Number(value) > (last.get(key) ?? -1), `${key} rises`)
    check((partitions.get(key) ?? partition) === partition, `${key} stays in its partition`)
    last.set(key, Number(value))
    partitions.set(key, partition)
  }
  exactly([new Set(got.map(({ value }) => value)).size], [count])
}

export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + UNTIL_MS_MAX
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`waited ${UNTIL_MS_MAX} ms in vain`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}
