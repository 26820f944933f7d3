import { describe, expect, it } from 'vitest'
import { brokerConfigOf } from '../../src/cli/broker-config.ts'

const files: Readonly<Record<string, string>> = {
  'server.properties':
    'num.partitions=3\nlog.retention.hours=1\nconnections.max.idle.ms=-1\nlisteners=PLAINTEXT://:0\n',
}
const readFile = (path: string): string => files[path] ?? ''

describe("a broker's settings by Kafka's names", () => {
  it('come from files and words, of which the later count', () => {
    const { broker, limits, listeners } = brokerConfigOf(
      ['num.partitions=9', 'server.properties', 'log.retention.hours=2', 'socket.request.max.bytes=1000'],
      readFile,
    )
    expect(broker).toEqual({ 'num.partitions': '3', 'log.retention.hours': '2' })
    expect(limits).toEqual({ maxIdleMs: Number.POSITIVE_INFINITY, maxRequestBytes: 1_000 })
    expect([...listeners]).toEqual([['listeners', 'PLAINTEXT://:0']])
  })

  it.each([
    [['log.dirs=/tmp'], "'log.dirs' is not a setting of this broker"],
    [['process.roles=broker', 'node.id=1'], "not settings of this broker: 'process.roles', 'node.id'"],
    [['num.partitions=0'], 'Invalid value 0 for configuration num.partitions: Value must be at least 1'],
    [['delete.topic.enable=yes'], 'Expected value to be either true or false'],
    [['max.connections=many'], 'Invalid value many for configuration max.connections: Not a number of type INT'],
  ])('%j are refused', (words, why) => {
    expect(() => brokerConfigOf(words, readFile)).toThrow(why)
  })
})
