import type { JoinCase, JoinEvent, JoinOutput } from './join-cases.ts'

interface Kept {
  readonly key: string
  readonly value: string
  readonly time: number
}

interface Waiting extends Kept {
  readonly isLeft: boolean
}

/** Joins of two streams as the rules say, with plain lists and searches from the beginning. */
export class StreamJoinModel {
  readonly #join: Required<Pick<JoinCase, 'kind' | 'before' | 'after' | 'grace'>>
  readonly #kept: Record<'L' | 'R', Kept[]> = { L: [], R: [] }
  #waiting: Waiting[] = []
  #streamTime = -1
  #earliest = Number.POSITIVE_INFINITY

  constructor({ kind, before = 0, after = 0, grace = 0 }: JoinCase) {
    this.#join = { kind, before, after, grace }
  }

  /** Forgets what is not kept over a restart: where the search for closed windows stood. */
  restart(): void {
    this.#earliest = Math.min(...this.#waiting.map(({ time }) => time))
  }

  process([topic, key, value, time]: JoinEvent): JoinOutput[] {
    const { kind, before, after, grace } = this.#join
    const isLeft = topic === 'L'
    const isOuter = kind === 'outer' || (kind === 'left' && isLeft)
    this.#streamTime = Math.max(this.#streamTime, time)
    if (value === null || (key === null && !isOuter)) return []
    const alone = (text: string, left: boolean): string => (left ? `${text}+null` : `null+${text}`)
    if (key === null) return [[null, alone(value, isLeft), time]]

    const outputs: JoinOutput[] = []
    const ownAfter = isLeft ? after : before
    if (kind !== 'inner' && time === this.#streamTime && this.#earliest + ownAfter + grace < time) {
      for (const closed of this.#close()) outputs.push([closed.key, alone(closed.value, closed.isLeft), closed.time])
    }
    const matches = this.#matches(isLeft, key, time)
    for (const match of matches) {
      this.#waiting = this.#waiting.filter(
        (each) => each.isLeft === isLeft || each.key !== key || each.time !== match.time,
      )
      const joined = isLeft ? `${value}+${match.value}` : `${match.value}+${value}`
      outputs.push([key, joined, Math.max(time, match.time)])
    }
    if (matches.length === 0 && isOuter) {
      if (Math.max(0, time + ownAfter) < this.#streamTime) outputs.push([key, alone(value, isLeft), time])
      else {
        this.#waiting.push({ key, value, time, isLeft })
        this.#earliest = Math.min(this.#earliest, time)
      }
    }
    this.#kept[isLeft ? 'L' : 'R'].push({ key, value, time })
    return outputs
  }

  #matches(isLeft: boolean, key: string, time: number): Kept[] {
    const { before, after, grace } = this.#join
    const others = this.#kept[isLeft ? 'R' : 'L']
    const from = Math.max(0, time - (isLeft ? before : after))
    const until = Math.max(0, time + (isLeft ? after : before))
    const latest = Math.max(-1, ...others.map((other) => other.time))
    const isKept = (other: Kept): boolean => other.time > latest - (before + after + grace)
    // Sorting keeps the order of those of the same time. What came too late was never kept.
    return others
      .filter((other, i) => wasKept(others, i, before + after + grace) && isKept(other))
      .filter((other) => other.key === key && other.time >= from && other.time <= until)
      .sort((a, b) => a.time - b.time)
  }

  /** Takes out what can find no match any more, up to where the search stops. */
  #close(): Waiting[] {
    const { before, after, grace } = this.#join
    const compare = (a: Waiting, b: Waiting): number =>
      a.time - b.time || Number(a.isLeft) - Number(b.isLeft) || Buffer.compare(Buffer.from(a.key), Buffer.from(b.key))
    const closed: Waiting[] = []
    const open = new Set<boolean>()
    this.#earliest = Number.POSITIVE_INFINITY
    for (const each of this.#waiting.toSorted(compare)) {
      this.#earliest = each.time
      if (open.size === 2) break
      if (each.time + (each.isLeft ? after : before) + grace >= this.#streamTime) open.add(each.isLeft)
      else closed.push(each)
    }
    this.#waiting = this.#waiting.filter((each) => !closed.includes(each))
    return closed
  }
}

/** Whether a record was not too late to be kept, when it came. */
function wasKept(records: readonly Kept[], index: number, retention: number): boolean {
  const latest = Math.max(-1, ...records.slice(0, index).map(({ time }) => time))
  return records[index].time > latest - retention
}
