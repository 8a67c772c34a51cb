import { expect, test } from 'vitest'
import { PlainHistogram } from './plain-histogram.ts'

test('counts are cumulative, a value on a bound lies below it, and what is above all bounds counts in +Inf [SEC-87~]', () => {
  const histogram = new PlainHistogram('usher_x_seconds', 'Help', [0.1, 1])
  for (const value of [0.05, 0.1, 0.5, 7]) histogram.observe(value)
  expect(histogram.render()).toBe(
    [
      '# HELP usher_x_seconds Help',
      '# TYPE usher_x_seconds histogram',
      'usher_x_seconds_bucket{le="0.1"} 2',
      'usher_x_seconds_bucket{le="1"} 3',
      'usher_x_seconds_bucket{le="+Inf"} 4',
      'usher_x_seconds_sum 7.65',
      'usher_x_seconds_count 4',
      '',
    ].join('\n'),
  )
})
