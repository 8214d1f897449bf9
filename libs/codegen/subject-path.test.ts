import { expect, test } from 'vitest'
import { topicPartOf } from './subject-path.ts'

const cases = [
  { path: 'schemas/orders/value.avsc', is: { topic: 'orders', part: 'value', subject: 'orders-value' } },
  { path: 'orders/key.avsc', is: { topic: 'orders', part: 'key', subject: 'orders-key' } },
  {
    path: 'C:\\schemas\\_assay.rejects\\value.avsc',
    is: { topic: '_assay.rejects', part: 'value', subject: '_assay.rejects-value' }
  },
  { path: 'value.avsc', is: undefined },
  { path: 'schemas/orders/Order.avsc', is: undefined },
  { path: 'schemas/../value.avsc', is: undefined },
  { path: 'schemas/a topic/value.avsc', is: undefined }
]
test.each(cases)('$path', ({ path, is }) => {
  expect(topicPartOf(path)).toEqual(is)
})
