/** What a figure is to reach, and whether it does. */
import type { Cells } from './table.ts'

export interface Goal {
  readonly what: string
  /** Undefined when it was not measured in this run. */
  readonly measured: number | undefined
  readonly bound: { readonly atLeast: number } | { readonly atMost: number }
  readonly unit: string
  readonly note?: string
}

/** Undefined when it was not measured. */
export function isMet({ measured, bound }: Goal): boolean | undefined {
  if (measured === undefined) return undefined
  return 'atLeast' in bound ? measured >= bound.atLeast : measured <= bound.atMost
}

export function goalCells(goal: Goal): Cells {
  const { what, measured, bound, unit, note } = goal
  const shown = (value: number): string => `${value.toFixed(Math.abs(value) < 10 ? 2 : 0)} ${unit}`.trimEnd()
  const verdict = { true: 'met', false: 'missed', undefined: 'not measured' }[`${isMet(goal)}`]
  return {
    goal: what,
    wanted: 'atLeast' in bound ? `>= ${shown(bound.atLeast)}` : `<= ${shown(bound.atMost)}`,
    measured: measured === undefined ? '-' : shown(measured),
    verdict: verdict,
    note: note ?? ''
  }
}
