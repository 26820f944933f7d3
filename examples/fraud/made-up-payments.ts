/** Payments of people that there are not: most buy as they always do, and now and then a card is stolen. */
import type { Transaction } from './transaction.ts'

const merchants = [
  ['Corner Grocery', 'grocery_pos', 4_000],
  ['City Fuel', 'gas_transport', 5_000],
  ['Luna Coffee', 'food_dining', 900],
  ['Pixel Store', 'shopping_net', 9_000],
  ['Harbour Cinema', 'entertainment', 3_000],
  ['Green Pharmacy', 'health_fitness', 2_500],
] as const

const cardCount = 200
/** Of all payments, how many begin a theft. */
const theftShare = 1 / 150
const mostPaymentsOfTheft = 6

interface Theft {
  readonly card: string
  paymentsLeft: number
}

/** The same numbers from the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export interface MadeUpPayment {
  readonly card: string
  readonly transaction: Transaction
}

export class MadeUpPayments {
  readonly #random: () => number
  readonly #thefts: Theft[] = []
  #made = 0

  constructor(random: () => number) {
    this.#random = random
  }

  next(): MadeUpPayment {
    if (this.#random() < theftShare) this.#thefts.push({ card: this.#card(), paymentsLeft: mostPaymentsOfTheft })
    const isThiefs = this.#thefts.length > 0 && this.#random() < 0.1
    return isThiefs ? this.#thiefs() : this.#honest()
  }

  #honest(): MadeUpPayment {
    const [merchant, category, usual] = this.#pick(merchants)
    return this.#payment(this.#card(), { merchant, category, cents: this.#around(usual), isFraud: false })
  }

  /** A thief tries the card out with little money, and then takes much. */
  #thiefs(): MadeUpPayment {
    const theft = this.#pick(this.#thefts)
    const isFirst = theft.paymentsLeft-- === mostPaymentsOfTheft
    if (theft.paymentsLeft === 0) this.#thefts.splice(this.#thefts.indexOf(theft), 1)
    const [merchant, category] = this.#pick(merchants)
    const cents = isFirst ? this.#around(500) : this.#around(70_000)
    return this.#payment(theft.card, { merchant, category, cents, isFraud: true })
  }

  #payment(card: string, paid: Omit<Transaction, 'id'>): MadeUpPayment {
    return { card, transaction: { id: `made-up-${this.#made++}`, ...paid } }
  }

  #card(): string {
    return `4000 0000 0000 ${String(Math.floor(this.#random() * cardCount)).padStart(4, '0')}`
  }

  #around(usual: number): number {
    return Math.round(usual * (0.5 + this.#random()))
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)] as T
  }
}
