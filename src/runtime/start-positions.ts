import type { CommittedOffset, OffsetRange } from '../cluster/cluster.ts'
import { toMilliseconds } from '../duration.ts'
import { MillraceError } from '../errors.ts'
import type { RunConfig } from './run-options.ts'
import type { PlannedInput } from './task-assembly.ts'

/**
 * Where each input is read from: where the last commit says, or where nothing was committed, where its source says (KIP-1106).
 * @throws MillraceError INVALID_ARGUMENT where the source says that there must be a commit
 */
export function startPositions(
  inputs: readonly PlannedInput[],
  committed: readonly (CommittedOffset | undefined)[],
  ranges: readonly OffsetRange[],
  config: RunConfig,
): Promise<number[]> {
  return Promise.all(inputs.map(async (input, i) => committed[i]?.offset ?? resetPosition(input, ranges[i], config)))
}

async function resetPosition(
  { source, partition }: PlannedInput,
  { start, end }: OffsetRange,
  { cluster, environment }: RunConfig,
): Promise<number> {
  const { offsetReset } = source
  switch (offsetReset) {
    case 'earliest':
      return start
    case 'latest':
      return end
    case 'none':
      throw new MillraceError('INVALID_ARGUMENT', 'The application has committed no offset for the partition', {
        at: { ...partition, operator: source.name },
        remedy: "Its source has the offset reset 'none': choose 'earliest', 'latest' or an age for the first start.",
      })
    default: {
      const timestamp = environment.clock.wallMs() - toMilliseconds(offsetReset.by)
      const [found] = await cluster.offsetsForTimes([{ ...partition, timestamp }])
      return found?.offset ?? end
    }
  }
}
