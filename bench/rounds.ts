/** One side of a comparison: does the work once and returns how many records it handled. */
export type Side = () => number | Promise<number>

export interface Comparison {
  readonly name: string
  /** Nanoseconds per record, the median of the rounds. */
  readonly oursNs: number
  readonly handNs: number
  /** Ours as a share of the hand-written loop's speed, by round: 1 is as fast. */
  readonly ratios: readonly number[]
  /** The fastest round of each side against each other: what other work on the machine disturbs least. */
  readonly bestRatio: number
  readonly note: string
}

/** Time, or the processor time of all of the process's threads: on a machine with other work only the second says anything. */
export type Clock = 'time' | 'processor'

let clock: Clock = 'time'

/** Which clock all comparisons of this process use from now on. Default: time. */
export function measureBy(chosen: Clock): void {
  clock = chosen
}

/** What the compiler needs to see of both sides before they run as fast as they will. */
const warmUpRounds = 2

/**
 * Runs both sides in turn, round by round, so that a machine whose speed drifts slows both alike; the first rounds only warm
 * up. `before` is run, untimed, before each round. What is to be quoted is the median of the rounds' ratios, with their range.
 */
export async function compare(
  name: string,
  hand: Side,
  ours: Side,
  options: { rounds: number; note?: string; before?: () => void | Promise<void> },
): Promise<Comparison> {
  const handNs: number[] = []
  const oursNs: number[] = []
  for (let round = -warmUpRounds; round < options.rounds; round++) {
    const first = round % 2 === 0
    await options.before?.()
    const a = await timed(first ? hand : ours)
    const b = await timed(first ? ours : hand)
    if (round < 0) continue
    handNs.push(first ? a : b)
    oursNs.push(first ? b : a)
  }
  const ratios = handNs.map((ns, round) => ns / oursNs[round])
  const bestRatio = Math.min(...handNs) / Math.min(...oursNs)
  return { name, handNs: median(handNs), oursNs: median(oursNs), ratios, bestRatio, note: options.note ?? '' }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

async function timed(side: Side): Promise<number> {
  const start = nowNs()
  const count = await side()
  return (nowNs() - start) / count
}

function nowNs(): number {
  if (clock === 'time') return Number(process.hrtime.bigint())
  const { user, system } = process.cpuUsage()
  return (user + system) * 1_000
}
