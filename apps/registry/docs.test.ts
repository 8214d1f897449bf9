import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { renderDocs } from './docs.ts'
import { t } from './json-schema.ts'
import { openPath, route } from './route.ts'
import { registryRoutes } from './routes/all.ts'
import { openService, type Service } from './test/service.ts'

describe('the page at /docs', () => {
  let service: Service
  let page = ''
  let headers: Record<string, unknown> = {}
  beforeAll(async () => {
    service = await openService()
    const answer = await service.app.inject({ url: '/docs', headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } })
    expect(answer.statusCode).toBe(200)
    page = answer.body
    headers = answer.headers
  })
  afterAll(() => service.close())

  test('is HTML that may run, load and send nothing, with the one style sheet that its header allows', () => {
    expect(headers['content-type']).toBe('text/html; charset=utf-8')
    const [, style = ''] = /<style>([\s\S]*?)<\/style>/.exec(page) ?? []
    const hash = createHash('sha256').update(style).digest('base64')
    expect(headers['content-security-policy']).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`
    )
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(page).not.toMatch(/<script|<link|<img|<iframe|\son\w+=|style=|src=/i)
    expect([...page.matchAll(/href="([^"]*)"/g)].map(([, target]) => target).filter(target => !target?.startsWith('#'))).toEqual([
      '/openapi.json'
    ])
  })

  test('shows every route with its parameters, failures and a request to try', () => {
    for (const { method, path, says, query } of registryRoutes) {
      const title = `<span class="method">${method}</span> <code>${openPath(path)}</code></h3>`
      expect(page).toContain(title)
      const article = page.slice(page.indexOf(title), page.indexOf('</article>', page.indexOf(title)))
      expect(article).toContain(says.split('`')[0]!.split(/['"<>&]/)[0])
      expect(article).toContain('<pre>curl ')
      for (const name of Object.keys(query.properties)) expect(article).toContain(`<td><code>${name}</code></td><td>query</td>`)
    }
    expect(page).toContain('<td>404</td><td>40401</td>')
    expect(page).toContain('-d &#39;{&quot;schema&quot;:&quot;\\&quot;string\\&quot;&quot;}&#39;')
  })

  test('leads nowhere that is not there, and to every schema with a title', () => {
    const anchors = new Set([...page.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id))
    const links = [...page.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id)
    expect(links.filter(id => !anchors.has(id))).toEqual([])
    expect(anchors.size).toBe([...page.matchAll(/\sid="/g)].length)
    for (const title of ['schemarequest', 'configupdate', 'ruleset', 'finding']) expect(anchors).toContain(title)
  })
})

test('what a route says cannot break out of the page', () => {
  const hostile = route<object>()({
    method: 'GET',
    path: '/x',
    access: 'open',
    says: '</p><script>alert(1)</script> `<b>`',
    errors: [],
    query: t.Object({ q: t.String({ default: '"><img src=x>', description: '<i>' }) }),
    reply: t.Object({ '<u>': t.String({ description: '</td>' }) }),
    run: () => ({ '<u>': '' })
  })
  const page = renderDocs([hostile])
  for (const tag of ['<script', '<img', '<i>', '<u>', '<b>']) expect(page).not.toContain(tag)
  expect(page).toContain('<code>&lt;b&gt;</code>')
})
