/** Stories about contexts and aliases. */
import { expect } from 'vitest'
import { failure, type Story } from './stories.ts'

export const contextStories: Story[] = [
  {
    name: 'contexts come with their first subject and go when they are empty',
    steps: [
      { ask: 'GET /contexts', answer: ['.'] },
      {
        ask: 'POST /contexts/sales/subjects/orders/versions',
        body: { schema: '"int"' },
        answer: expect.objectContaining({ id: 1, version: 1 })
      },
      { ask: 'POST /subjects/:.stock:orders/versions', body: { schema: '"int"' }, answer: expect.objectContaining({ id: 1 }) },
      { ask: 'GET /contexts', answer: ['.', '.sales', '.stock'] },
      { ask: 'GET /contexts?contextPrefix=.s&offset=1&limit=5', answer: ['.stock'] },
      { ask: 'GET /contexts?contextPrefix=.x', answer: [] },
      { ask: 'GET /subjects', answer: [':.sales:orders', ':.stock:orders'] },
      { ask: 'GET /subjects?subjectPrefix=', answer: [] },
      { ask: 'GET /subjects?subjectPrefix=:*:ord', answer: [':.sales:orders', ':.stock:orders'] },
      { ask: 'GET /contexts/sales/subjects', answer: [':.sales:orders'] },
      { ask: 'GET /contexts/:.sales:/subjects/orders/versions', answer: [1] },
      { ask: 'GET /contexts/.sales/subjects/orders/versions/1', answer: expect.objectContaining({ subject: ':.sales:orders' }) },
      {
        ask: 'POST /contexts/sales/compatibility/subjects/orders/versions/1',
        body: { schema: '"string"' },
        answer: { is_compatible: false }
      },
      { ask: 'DELETE /contexts/sales', status: 422, answer: failure(42211, expect.stringContaining('is not empty')) },
      { ask: 'DELETE /contexts/sales/subjects/orders', answer: [1] },
      { ask: 'DELETE /contexts/sales', status: 422, answer: failure(42211, expect.any(String)) },
      { ask: 'DELETE /contexts/sales/subjects/orders?permanent=true', answer: [1] },
      { ask: 'DELETE /contexts/:.sales:', status: 204, answer: '' },
      { ask: 'DELETE /contexts/unknown', status: 204, answer: '' },
      { ask: 'GET /contexts', answer: ['.', '.stock'] },
      { ask: 'DELETE /contexts/a:b', status: 400, answer: failure(400, "Context name 'a:b' cannot contain a colon") },
      { ask: 'GET /contexts/a:b/subjects', status: 400, answer: failure(400, "Context name 'a:b' cannot contain a colon") },
      { ask: 'GET /contexts/sales/nothing', status: 404, answer: failure(404, 'HTTP 404 Not Found: GET /nothing') }
    ]
  },
  {
    name: 'the default context may be named, too',
    steps: [
      { ask: 'POST /subjects/:.:s/versions', body: { schema: '"int"' }, answer: expect.objectContaining({ id: 1 }) },
      { ask: 'GET /subjects', answer: ['s'] },
      { ask: 'GET /contexts/:.:/subjects/s/versions/1', answer: expect.objectContaining({ subject: 's' }) },
      { ask: 'GET /schemas/ids/1?subject=:.:s', answer: expect.objectContaining({ subject: 's' }) },
      { ask: 'GET /subjects/:.:/versions', status: 404, answer: failure(40401, expect.any(String)) },
      { ask: 'DELETE /subjects/:.:s', answer: [1] }
    ]
  },
  {
    name: 'an alias leads to its subject wherever schemas are meant',
    steps: [
      { ask: 'POST /subjects/orders/versions', body: { schema: '"int"' }, answer: expect.objectContaining({ id: 1 }) },
      {
        ask: 'PUT /config/nick',
        body: { alias: 'orders', compatibility: 'NONE' },
        answer: { alias: 'orders', compatibility: 'NONE' }
      },
      { ask: 'GET /subjects/nick/versions', answer: [1] },
      { ask: 'GET /subjects/nick/versions/latest', answer: expect.objectContaining({ subject: 'orders' }) },
      { ask: 'POST /subjects/nick', body: { schema: '"int"' }, answer: expect.objectContaining({ subject: 'orders' }) },
      { ask: 'GET /schemas/ids/1?subject=nick', answer: expect.objectContaining({ subject: 'orders', version: 1 }) },
      {
        ask: 'POST /compatibility/subjects/nick/versions/1',
        body: { schema: '"string"' },
        answer: { is_compatible: false }
      },
      { ask: 'POST /subjects/nick/versions', body: { schema: '"int"' }, answer: expect.objectContaining({ id: 1, version: 1 }) },
      { ask: 'GET /subjects', answer: ['orders'] },
      { ask: 'GET /config/nick', answer: { alias: 'orders', compatibilityLevel: 'NONE' } },
      { ask: 'GET /config/orders', status: 404, answer: failure(40408, expect.any(String)) },
      { ask: 'PUT /config/nick', body: { alias: null }, answer: { compatibility: 'NONE' } },
      { ask: 'GET /subjects/nick/versions', status: 404, answer: failure(40401, "Subject 'nick' not found.") }
    ]
  }
]
