import { describe, expect, it } from 'vitest'
import { serde, topic } from '../src/index.ts'
import { failureOf } from './broker/records.ts'

const serdes = { key: serde.string, value: serde.string }

describe("a topic's settings", () => {
  it('are written as Kafka writes them, durations in milliseconds', () => {
    const config = {
      'retention.ms': '7d',
      'segment.ms': 1_000,
      'cleanup.policy': 'compact,delete',
      preallocate: true,
    } as const
    expect(topic('t', { ...serdes, config }).config).toEqual({
      'retention.ms': '604800000',
      'segment.ms': '1000',
      'cleanup.policy': 'compact,delete',
      preallocate: 'true',
    })
    expect(topic('t', { ...serdes, config: { 'retention.ms': -1, 'file.delete.delay.ms': '60000' } }).config).toEqual({
      'retention.ms': '-1',
      'file.delete.delay.ms': '60000',
    })
    expect(topic('t', serdes).config).toEqual({})
  })

  it('have names that the compiler knows', async () => {
    // @ts-expect-error: the setting is retention.ms
    const misspelt = await failureOf(() => topic('t', { ...serdes, config: { 'retention.days': 7 } }))
    expect([misspelt.code, misspelt.at]).toEqual(['INVALID_ARGUMENT', { topic: 't' }])
    // @ts-expect-error: no unit of time
    const wrong = await failureOf(() => topic('t', { ...serdes, config: { 'retention.ms': '7 weeks' } }))
    expect(wrong.code).toBe('INVALID_ARGUMENT')
  })
})
