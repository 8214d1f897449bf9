/** Lengths of time as flags take them: ISO 8601 durations of days and less, as Kafka's own tools take them. */
import { AssayError } from '@assay/errors'

/** An option's parser; gives milliseconds. */
export function durationMs(flag: string): (text: string) => number {
  return text => {
    const found = /^P(?:(\d{1,6})D)?(?:T(?:(\d{1,8})H)?(?:(\d{1,9})M)?(?:(\d{1,9}(?:\.\d{1,3})?)S)?)?$/.exec(text)
    if (found?.slice(1).some(part => part !== undefined)) {
      const [days, hours, minutes, seconds] = found.slice(1).map(part => Number(part ?? 0)) as [number, number, number, number]
      return Math.round((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000)
    }
    throw new AssayError('INVALID_ARGUMENT', { reason: `${flag} ${text}: expected a duration such as PT1H30M or P7D` })
  }
}
