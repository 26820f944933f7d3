import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { InputError } from '../input-error.ts'
import { readPayments } from '../transaction-file.ts'

const head = 'trans_num,unix_time,cc_num,category,amt,merchant,is_fraud'
const directories: string[] = []
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true })
})

function fileOf(text: string, name = 'payments.csv'): string {
  const directory = mkdtempSync(join(tmpdir(), 'fraud-'))
  directories.push(directory)
  const path = join(directory, name)
  writeFileSync(path, name.endsWith('.gz') ? gzipSync(text) : text)
  return path
}

describe('a file of payments', () => {
  it('is read in the order of times, and of ids at the same time', () => {
    const lines = [head, 'b,2,1,food,1.10,"fraud_Robel, Cummerata",1', 'a,2,1,food,0.29,Inn,0', 'c,1,1,food,3,Inn,0']
    const payments = readPayments(fileOf(lines.join('\n'), 'payments.csv.gz'))
    expect(payments.map(({ transaction }) => transaction.id)).toEqual(['c', 'a', 'b'])
    expect(payments[2]).toEqual({
      card: '1',
      at: 2_000,
      transaction: { id: 'b', cents: 110, merchant: 'Robel, Cummerata', category: 'food', isFraud: true },
    })
    expect(payments[1]?.transaction.cents).toBe(29)
  })

  it('has its mistakes told, with their places', () => {
    expect(() => readPayments('/no/such/file.csv')).toThrow(InputError)
    expect(() => readPayments(fileOf('a,b\n1,2\n'))).toThrow(/has no column trans_num/)
    expect(() => readPayments(fileOf(`${head}\na,1,1,food,1,Inn,0\nb,x,1,food,1,Inn,0\n`))).toThrow(/payments.csv:3: /)
    expect(() => readPayments(fileOf(`${head}\n"a`))).toThrow(/Cannot read/)
    expect(readPayments(fileOf(`${head}\n`))).toEqual([])
  })
})
