/** Payments from a file: CSV as the Sparkov generator writes it, also compressed by gzip. */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import { InputError } from './input-error.ts'
import type { Transaction } from './transaction.ts'

export interface Payment {
  readonly card: string
  readonly at: number
  readonly transaction: Transaction
}

const columns = ['trans_num', 'unix_time', 'cc_num', 'category', 'amt', 'merchant', 'is_fraud'] as const
type Row = Readonly<Record<(typeof columns)[number], string>>

/**
 * All payments of the file in the order of their times, and of their ids where these are the same.
 * @throws InputError where the file cannot be read, or a line is none of a payment
 */
export function readPayments(path: string): Payment[] {
  let rows: Row[]
  try {
    const bytes = readFileSync(path)
    rows = parse(path.endsWith('.gz') ? gunzipSync(bytes) : bytes, { columns: true, bom: true }) as Row[]
  } catch (error) {
    throw new InputError(`Cannot read ${JSON.stringify(path)}: ${error instanceof Error ? error.message : error}.`)
  }
  const missing = rows[0] === undefined ? undefined : columns.find((name) => rows[0]?.[name] === undefined)
  if (missing !== undefined) throw new InputError(`${JSON.stringify(path)} has no column ${missing}.`)
  return rows.map((row, at) => paymentOf(row, `${path}:${at + 2}`)).sort(byTimeThenId)
}

function paymentOf(row: Row, place: string): Payment {
  const [seconds, amount] = [Number(row.unix_time), Number(row.amt)]
  if (!Number.isFinite(seconds) || !Number.isFinite(amount) || row.cc_num === '' || row.trans_num === '') {
    throw new InputError(`${place}: that is no payment.`)
  }
  return {
    card: row.cc_num,
    at: seconds * 1_000,
    transaction: {
      id: row.trans_num,
      cents: Math.round(amount * 100),
      merchant: row.merchant.replace(/^fraud_/, ''),
      category: row.category,
      isFraud: row.is_fraud === '1',
    },
  }
}

function byTimeThenId(a: Payment, b: Payment): number {
  return a.at - b.at || (a.transaction.id < b.transaction.id ? -1 : 1)
}
