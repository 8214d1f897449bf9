/** A list that is asked for page by page, as one sequence. */

/**
 * Yields the items of each page. A page that is not full ends the list; so does one that begins as the page before did, because then
 * the peer knows no pages and answered everything at once.
 */
export async function* inPages<T>(
  {
    start,
    most = Number.POSITIVE_INFINITY,
    pageSize
  }: { readonly start: number; readonly most?: number | undefined; readonly pageSize: number },
  ask: (offset: number, limit: number) => Promise<readonly T[]>
): AsyncGenerator<T, undefined> {
  let previous: string | undefined
  for (let done = 0; done < most; ) {
    const limit = Math.min(pageSize, most - done)
    const page = await ask(start + done, limit)
    const first = JSON.stringify(page[0])
    if (page.length === 0 || first === previous) return
    for (const item of page.slice(0, most - done)) yield item
    // More than was asked for: everything came at once. Less: there is no more, or the peer's own limit is lower than ours.
    if (page.length > limit) return
    previous = first
    done += page.length
  }
}
