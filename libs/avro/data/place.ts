/** How places in a value are printed: `items[3].price`, a map key quoted where it is no plain word. */

const KEY_CHARS_MAX = 40

/** Field names and map keys are texts, items of arrays are numbers. */
export type Step = string | number

export function printPlace(steps: readonly Step[]): string {
  return steps.reduce<string>(
    (place, step) => (typeof step === 'number' ? `${place}[${step}]` : joinPlace(place, keyText(step))),
    ''
  )
}

/** A map key or field name; quoted unless it is a plain word, and shortened. */
export function keyText(key: string): string {
  if (/^[\p{L}\p{Nd}_]+$/u.test(key) && key.length <= KEY_CHARS_MAX) return key
  return JSON.stringify(key.length > KEY_CHARS_MAX ? `${key.slice(0, KEY_CHARS_MAX)}…` : key)
}

export const joinPlace = (place: string, step: string): string => (place === '' ? step : `${place}.${step}`)
