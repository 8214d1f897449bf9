/** What a server's /metrics says, by the whole name with its labels: `assay_event_loop_delay_seconds{quantile="0.99"}`. */
export async function readMetrics(http: string): Promise<ReadonlyMap<string, number>> {
  const page = await fetch(`${http}/metrics`).then(answer => answer.text())
  const lines = page.split('\n').filter(line => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map(line => {
      const end = line.lastIndexOf(' ')
      return [line.slice(0, end), Number(line.slice(end + 1))]
    })
  )
}

/** How late the event loop of the server came to its work since this was last asked, in milliseconds. */
export async function eventLoopDelayMs(http: string): Promise<{ readonly p99: number; readonly longest: number }> {
  const metrics = await readMetrics(http)
  const of = (quantile: string): number => {
    const seconds = metrics.get(`assay_event_loop_delay_seconds{quantile="${quantile}"}`)
    if (seconds === undefined) throw new Error('/metrics tells no event loop delay')
    return seconds * 1000
  }
  return { p99: of('0.99'), longest: of('1') }
}
