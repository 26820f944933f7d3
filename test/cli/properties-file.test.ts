import { describe, expect, it } from 'vitest'
import { readProperties } from '../../src/cli/properties-file.ts'

describe('a file of properties', () => {
  it('has names and values a line, comments and lines that go on', () => {
    const text = [
      '# a comment',
      '  ! another',
      '',
      'num.partitions=3',
      '  log.retention.hours : 12',
      'log.roll.hours 5',
      'listeners=PLAINTEXT://:9092,\\',
      '    SSL://:9093',
      'empty=',
      'alone',
      'password=a\\=b\\\\',
      'tab=\\u0041\\tb',
    ].join('\r\n')
    expect([...readProperties(text)]).toEqual([
      ['num.partitions', '3'],
      ['log.retention.hours', '12'],
      ['log.roll.hours', '5'],
      ['listeners', 'PLAINTEXT://:9092,SSL://:9093'],
      ['empty', ''],
      ['alone', ''],
      ['password', 'a=b\\'],
      ['tab', 'A\tb'],
    ])
  })

  it('has the later of two values for a name', () => {
    expect(readProperties('a=1\na=2').get('a')).toBe('2')
  })
})
