/** A set of metrics in Prometheus' text format 0.0.4, printed in the order in which they were made. Counting costs one look-up. */

export interface Sample {
  /** In the order of the metric's label names. */
  readonly labels: readonly string[]
  readonly value: number
}

export interface MetricOptions {
  readonly name: string
  readonly help: string
  readonly labelNames?: readonly string[]
}

export interface MetricSet {
  /** Gives the function that counts one more for these values of the labels. */
  counter(options: MetricOptions): (...labels: string[]) => void
  /** `read` is called whenever the metrics are printed. */
  gauge(options: MetricOptions & { readonly read: () => number | readonly Sample[] }): void
  /** `bounds` ascend. Gives the function that takes down one value. */
  histogram(options: MetricOptions & { readonly bounds: readonly number[] }): (value: number, ...labels: string[]) => void
  text(): string
}

interface Series {
  readonly labels: readonly string[]
  /** Of a histogram: one for each bound, each value counted once, and one for what is beyond the last. */
  readonly counts: number[]
  sum: number
}

export function metricSet(): MetricSet {
  const printers: (() => string)[] = []
  const add = ({ name, help }: MetricOptions, type: string, lines: () => Iterable<string>): void => {
    const head = `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`
    printers.push(() => head + [...lines()].map(line => `${line}\n`).join(''))
  }
  return {
    counter(options) {
      const { name, labelNames = [] } = options
      const series = new Map<string, Series>()
      // Without labels there is one series, which says that nothing was counted yet.
      if (labelNames.length === 0) seriesOf(series, [], 0)
      add(options, 'counter', () => [...series.values()].map(({ labels, sum }) => line(name, labelNames, labels, sum)))
      return (...labels) => {
        seriesOf(series, labels, 0).sum++
      }
    },
    gauge({ read, ...options }) {
      const { name, labelNames = [] } = options
      add(options, 'gauge', () => {
        const found = read()
        const samples = typeof found === 'number' ? [{ labels: [], value: found }] : found
        return samples.map(({ labels, value }) => line(name, labelNames, labels, value))
      })
    },
    histogram({ bounds, ...options }) {
      const { name, labelNames = [] } = options
      const series = new Map<string, Series>()
      add(options, 'histogram', () => [...series.values()].flatMap(one => histogramLines(name, labelNames, bounds, one)))
      return (value, ...labels) => {
        const one = seriesOf(series, labels, bounds.length + 1)
        const index = bounds.findIndex(bound => value <= bound)
        one.counts[index < 0 ? bounds.length : index]!++
        one.sum += value
      }
    },
    text: () => printers.map(print => print()).join('\n')
  }
}

function seriesOf(all: Map<string, Series>, labels: readonly string[], counts: number): Series {
  const key = labels.join('\n')
  let series = all.get(key)
  if (series === undefined) {
    series = { labels, counts: new Array<number>(counts).fill(0), sum: 0 }
    all.set(key, series)
  }
  return series
}

/** A bucket holds what is in those below it, too. */
function histogramLines(name: string, labelNames: readonly string[], bounds: readonly number[], series: Series): string[] {
  const { labels, counts, sum } = series
  let below = 0
  const buckets = counts.map((count, at) => {
    below += count
    return line(`${name}_bucket`, ['le', ...labelNames], [at < bounds.length ? String(bounds[at]) : '+Inf', ...labels], below)
  })
  return [...buckets, line(`${name}_sum`, labelNames, labels, sum), line(`${name}_count`, labelNames, labels, below)]
}

function line(name: string, labelNames: readonly string[], labels: readonly string[], value: number): string {
  const pairs = labelNames.map((label, at) => `${label}="${escapeLabel(labels[at] ?? '')}"`)
  return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}`
}

const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
const escapeLabel = (text: string): string => escapeHelp(text).replaceAll('"', '\\"')
