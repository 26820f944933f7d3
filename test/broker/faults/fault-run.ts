import { type Fault, faults } from './faulty-disk.ts'
import { protocols } from './protocols.ts'
import { Stage } from './stage.ts'

/** One thing that goes wrong at one call of one protocol, and how the process then ends. */
export interface FaultCase {
  readonly protocol: string
  readonly fault: Fault
  readonly at: number
  /** What survives of what was not synced when the process ends, where the fault was not a loss of power itself. */
  readonly keepUnsynced: 'none' | 'all' | 'random'
}

const ends = ['none', 'all', 'random'] as const

/** Every fault at every call of every protocol. */
export async function allCases(): Promise<FaultCase[]> {
  const cases: FaultCase[] = []
  for (const [protocol, run] of Object.entries(protocols)) {
    const stage = new Stage(1)
    await run(stage)
    for (const fault of faults) {
      const possibleEnds = fault.startsWith('power') ? (['none'] as const) : ends
      for (let at = 0; at < stage.disk.calls; at++) {
        for (const keepUnsynced of possibleEnds) cases.push({ protocol, fault, at, keepUnsynced })
      }
    }
  }
  return cases
}

/** Runs a case; throws where something that was acknowledged is lost, or something wrong is served. */
export async function runCase({ protocol, fault, at, keepUnsynced }: FaultCase, seed: number): Promise<void> {
  const stage = new Stage(seed, fault, at)
  try {
    await protocols[protocol]?.(stage)
    if (fault === 'full for a while' && !(await goesOn(stage)))
      throw new Error('it does not go on when there is room again')
    await stage.verify(keepUnsynced)
  } catch (error) {
    throw new Error(`${protocol}: ${fault} at call ${at}, then ${keepUnsynced} kept, seed ${seed}: ${error}`, {
      cause: error,
    })
  }
}

/** A full disk is an error to whoever needed room, not the end: the broker opens, or goes on, as soon as there is some. */
async function goesOn(stage: Stage): Promise<boolean> {
  // The disk has room again after some calls: what fails until then makes them.
  for (let attempt = 0; attempt < 40; attempt++) {
    if (stage.isOffline) await stage.open()
    const room = `room-${attempt}`
    if ((await stage.create('t')) && (await stage.create(room)) && !stage.isOffline) {
      await stage.append('t', 1)
      if (await transacts(stage, room)) return true
    }
  }
  return false
}

async function transacts({ transactions }: Stage, topic: string): Promise<boolean> {
  await transactions.begin('afterwards')
  await transactions.send('afterwards', topic, 1)
  await transactions.commitOffset('afterwards', 1)
  return transactions.end('afterwards', 'commit')
}

/** One bit of one file, changed while no process is at work. */
export interface FlipCase {
  readonly stage: Stage
  readonly protocol: string
  readonly path: string
  readonly position: number
}

const flippedProtocols = ['clean shutdown and restart', 'transactions over a restart']

/** A bit of every byte of every file that some protocols leave behind. */
export async function allFlips(): Promise<FlipCase[]> {
  const flips: FlipCase[] = []
  for (const protocol of flippedProtocols) {
    const stage = new Stage(1)
    await protocols[protocol]?.(stage)
    await stage.wait(1_000)
    for (const { path, bytes } of stage.files()) {
      for (let position = 0; position < bytes; position++) flips.push({ stage, protocol, path, position })
    }
  }
  return flips
}

export async function runFlip({ stage, protocol, path, position }: FlipCase): Promise<void> {
  try {
    await stage.verifyFlip(path, position)
  } catch (error) {
    throw new Error(`${protocol}: a bit of byte ${position} of ${path} changed: ${error}`, { cause: error })
  }
}
